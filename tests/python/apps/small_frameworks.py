"""An app each of Bottle, Falcon and Pyramid."""


def bottle():
    from bottle import Bottle, request

    app = Bottle()

    @app.route("/hello/<name>", method=["GET", "POST"])
    def hello(name):
        return f"{name} {request.query.get('q')} {request.forms.get('f')}"

    return app


def falcon():
    import falcon

    class Hello:
        def on_get(self, request, response, name):
            response.media = {"name": name, "q": request.get_param("q")}

        def on_post(self, request, response, name):
            response.media = {"got": request.media}

    app = falcon.App()
    app.add_route("/hello/{name}", Hello())
    return app


def pyramid():
    from pyramid.config import Configurator
    from pyramid.response import Response

    with Configurator() as config:
        config.add_route("hello", "/hello/{name}")
        config.add_view(lambda request: Response(f"{request.matchdict['name']} {request.params.get('q')}"), route_name="hello")
        return config.make_wsgi_app()
