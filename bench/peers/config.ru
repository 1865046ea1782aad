# The app for every Rack server: BODY_SIZE, BODY_FILE and SLOW_MS in the environment say what it answers.
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

body = file ? FileBody.new(file) : [size == 14 ? "Hello, world!\n" : "x" * size]

run(lambda do |env|
  if env["REQUEST_METHOD"] == "POST"
    chunk = String.new
    nil while env["rack.input"].read(65536, chunk)
  end
  sleep slow if slow > 0
  [200, fields.dup, body]
end)
