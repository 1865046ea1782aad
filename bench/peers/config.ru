# The app for every Rack server: BODY_SIZE, BODY_FILE and SLOW_MS in the environment say what it answers.
# Under BY_PATH it does what the path says, as bench/apps/by_path.hpp does.
size = ENV.fetch("BODY_SIZE").to_i
file = ENV["BODY_FILE"]
slow = ENV.fetch("SLOW_MS", 0).to_i / 1000.0
fields = { "Content-Type" => "text/plain", "Content-Length" => size.to_s }

# Servers that can send a file ask for to_path; the others read it.
FileBody = Struct.new(:to_path) do
  def each
    File.open(to_path, "rb") do |file|
      while (chunk = file.read(65536))
        yield chunk
      end
    end
  end
end

PATTERN = (0..250).to_a.pack("C*") * 256

# So many bytes, one piece after another.
Pieces = Struct.new(:size) do
  def each
    at = 0
    while at < size
      yield PATTERN.byteslice(0, size - at)
      at += PATTERN.bytesize
    end
  end
end

swallow = lambda do |input|
  chunk = String.new
  read = 0
  read += chunk.bytesize while input.read(65536, chunk)
  read
end

by_path = lambda do |env|
  path = env["PATH_INFO"]
  text = env["QUERY_STRING"].dup
  text << " #{swallow.call(env["rack.input"])} 0" if env["REQUEST_METHOD"] == "POST"
  text << Process.pid.to_s if path == "/pid"
  sleep path[7..].to_i / 1000.0 if path.start_with?("/sleep/")
  body = path.start_with?("/bytes/") ? Pieces.new(path[7..].to_i) : [text]
  length = path.start_with?("/bytes/") ? path[7..] : text.bytesize.to_s
  [200, { "Content-Type" => "text/plain", "Content-Length" => length }, body]
end

body = file ? FileBody.new(file) : [size == 14 ? "Hello, world!\n" : "x" * size]

by_size = lambda do |env|
  swallow.call(env["rack.input"]) if env["REQUEST_METHOD"] == "POST"
  sleep slow if slow > 0
  [200, fields.dup, body]
end

run(ENV["BY_PATH"] ? by_path : by_size)
