"""Where the app may see other requests than the client sent, because of the proxy between them: cases of the corpus, each with its reason."""

_OWN_VERSIONS = "it knows 1.0 and 1.1 only"
_OWN_FIELDS = "its own fields come on top of the client's hundred, which is one too many for the server"
_OWN_LIMIT = "its own limit for a head is lower than the server's"
_NO_TRAILERS = "it reads no trailers: 503"
_NO_EXTENSIONS = "it reads no chunk extensions: 503"
_LONE_LF = "it takes the LFs for line ends, so that the request stands behind the body"
_ENDS_BODIES = "it ends a body that it could not read as if it were whole"

# Valid requests that the proxy answers itself, or changes so that the server has to refuse them: the app sees less.
STOPPED_BY_THE_PROXY = {
    "nginx": {
        "host: an empty value": "it refuses an empty Host",
        "limits: as many fields as allowed": _OWN_FIELDS,
        "limits: the largest head": _OWN_LIMIT,
        "methods: PUT, PATCH, DELETE, OPTIONS, TRACE": "it refuses TRACE",
        "pipelines: a word that begins as close": "it takes the word for close",
        "targets: asterisk-form": "it refuses the asterisk",
        "targets: dots": "it refuses a path that leads above the root",
        "targets: escapes": "it refuses a zero in the path",
        "targets: escapes that are none": "it refuses escapes that are none",
    },
    "haproxy": {
        "limits: as many fields as allowed": _OWN_FIELDS,
        "limits: the largest head": _OWN_LIMIT,
        "targets: absolute-form with a query only": "it finds no authority there",
        "targets: absolute-form with an IPv6 address": "it refuses a Host that the target contradicts",
        "targets: absolute-form with another Host": "it refuses a Host that the target contradicts",
    },
    "varnish": {
        "chunk_extensions: a blank before the semicolon": _NO_EXTENSIONS,
        "chunk_extensions: a blank behind the semicolon": _NO_EXTENSIONS,
        "chunk_extensions: a name": _NO_EXTENSIONS,
        "chunk_extensions: a name and a value": _NO_EXTENSIONS,
        "chunk_extensions: a quoted value": _NO_EXTENSIONS,
        "chunk_extensions: a quoted value with an escaped backslash": _NO_EXTENSIONS,
        "chunk_extensions: a quoted value with an escaped quote": _NO_EXTENSIONS,
        "chunk_extensions: a semicolon in a quoted value": _NO_EXTENSIONS,
        "chunk_extensions: blanks wherever they may be": _NO_EXTENSIONS,
        "chunk_extensions: several": _NO_EXTENSIONS,
        "fields: an expectation that is not known, on HTTP/1.0": "it knows no expectation on HTTP/1.0 either: 417",
        "limits: as many fields as allowed": _OWN_FIELDS,
        "limits: the largest head": _OWN_LIMIT,
        "smuggling: Connection names the length": "it refuses a Connection that does",
        "smuggling: a body on HEAD": "it refuses HEAD with a body",
        "request_line: 1.2": _OWN_VERSIONS,
        "request_line: 1.2 and a method that is not known": _OWN_VERSIONS,
        "trailers: Connection in a trailer ends nothing": _NO_TRAILERS,
        "trailers: a trailer is read and dropped": _NO_TRAILERS,
        "trailers: as many as allowed": _NO_TRAILERS,
    },
}

# What the app sees is not what the server would see of the same bytes, and no fault of the server's.
PASSED_ON_OTHERWISE = {
    "nginx": {
        "chunks: bare LFs only, which hide a request": _LONE_LF,
    },
    "haproxy": {
        "chunks: bare LFs only, which hide a request": _LONE_LF,
    },
    "varnish": {
        "chunks: bare LFs only, which hide a request": _LONE_LF,
        "chunks: a chunk that is not all here": _ENDS_BODIES,
        "chunks: no empty line behind the last chunk yet": _ENDS_BODIES,
    },
}

# Answered as HTTP/0.9 is, without a head, so that an answer from the server cannot be told.
ANSWERED_WITHOUT_A_HEAD = {
    "nginx": {
        "request_line: HTTP/0.9": "it passes that on as HTTP/1.1",
        "request_line: HTTP/0.9 with a blank": "it passes that on as HTTP/1.1",
        "request_line: HTTP/0.9 with fields": "it passes that on as HTTP/1.1",
    },
}
