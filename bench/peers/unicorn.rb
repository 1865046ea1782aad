worker_processes ENV.fetch("WORKERS").to_i
listen "127.0.0.1:#{ENV.fetch("PORT")}", backlog: 2048
rewindable_input false # an upload is read from the socket rather than from a copy in a file
