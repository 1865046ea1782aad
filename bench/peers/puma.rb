bind "tcp://127.0.0.1:#{ENV.fetch("PORT")}?backlog=2048"
workers ENV.fetch("WORKERS").to_i
threads 1, 1
environment "production"
persistent_timeout 75
preload_app! false # so that SIGUSR1 replaces workers one by one
