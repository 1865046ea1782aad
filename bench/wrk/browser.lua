-- What a browser sends with a page's request: 14 fields with Host, about 700 bytes.
wrk.headers["Connection"] = "keep-alive"
wrk.headers["Cookie"] = "session=5b0fca2b7d8f4e0aa1c34bd29c1e6f70; theme=dark; language=en; visits=17; consent=all; cart=9d3e61f2; last_page=%2Fproducts%2Flamps"
wrk.headers["sec-ch-ua"] = '"Chromium";v="120", "Not-A.Brand";v="99"'
wrk.headers["sec-ch-ua-mobile"] = "?0"
wrk.headers["sec-ch-ua-platform"] = '"Linux"'
wrk.headers["Upgrade-Insecure-Requests"] = "1"
wrk.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
wrk.headers["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
wrk.headers["Sec-Fetch-Site"] = "none"
wrk.headers["Sec-Fetch-Mode"] = "navigate"
wrk.headers["Sec-Fetch-User"] = "?1"
wrk.headers["Sec-Fetch-Dest"] = "document"
wrk.headers["Accept-Encoding"] = "gzip, deflate, br"
