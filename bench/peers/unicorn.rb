worker_processes ENV.fetch("WORKERS").to_i
listen "127.0.0.1:#{ENV.fetch("PORT")}", backlog: 2048
preload_app true
