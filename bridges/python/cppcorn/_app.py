"""From MODULE[:NAME[(ARGS)]] to the app: imports the module and finds the app in it, as gunicorn does. What is wrong is
said in one line."""

import ast
import importlib
import importlib.util
import inspect
import os
import sys
import traceback
import types
from importlib.machinery import BuiltinImporter, FrozenImporter, PathFinder

_USUAL_NAMES = ("app", "application")
_MOST_LISTED = 10


class AppError(Exception):
    """The app cannot be loaded. `trace`: the traceback of the app's own fault, or None."""

    def __init__(self, line, trace=None, is_missing=False):
        super().__init__(line)
        self.trace = trace
        self.is_missing = is_missing  # there is no such module


def import_app(module_name, call):
    spec = module_name + (":" + call if call else "")
    module = _import_module(module_name, call, spec)
    app = _find_app(module, call, spec) if call else _find_usual_app(module)
    _check_app(app, spec if call else module_name)
    return app


# ---- The module


def knows(name, directories):
    """Whether there is a module, or the package that it is in, as far as can be told without importing anything."""
    first = name.partition(".")[0]
    finders = (BuiltinImporter, FrozenImporter, PathFinder)
    path = [*directories, os.getcwd(), *sys.path]
    return any(finder.find_spec(first, path) is not None for finder in finders)


def _import_module(name, call, spec):
    if name.endswith(".py") or "/" in name:
        raise AppError(_name_of_file(name, call, spec))
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name + ".").startswith(error.name + "."):
            raise AppError(_not_found(name, error.name), is_missing=True) from None
        raise _fault(spec, error) from None
    except BaseException as error:  # SystemExit, too: it ends no server
        raise _fault(spec, error) from None


def _name_of_file(name, call, spec):
    directory, file = os.path.split(name[:-3] if name.endswith(".py") else name)
    better = file + (":" + call if call else "")
    where = f" with --chdir {directory}" if directory else ""
    return f"'{spec}' names a file; did you mean '{better}'{where}?"


def _not_found(name, missing):
    package = f" (nor '{missing}')" if missing != name else ""
    return f"Python {sys.version.split()[0]} ({sys.executable}) knows no module '{name}'{package}"


def _fault(spec, error):
    """What the app's own code has raised while it was loaded."""
    trace = error.__traceback__
    while trace is not None and _is_machinery(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    text = "".join(traceback.format_exception(type(error), error, trace))
    message = " ".join(str(error).split())
    return AppError(f"{spec}: {type(error).__name__}" + (f": {message}" if message else ""), text)


def _is_machinery(file):
    return file == __file__ or file.startswith("<frozen importlib") or file == importlib.__file__


# ---- The name


def _find_usual_app(module):
    for name in _USUAL_NAMES:
        if hasattr(module, name):
            return getattr(module, name)
    raise AppError(_has_no(module, _USUAL_NAMES[0]))


def _find_app(module, call, spec):
    try:
        expression = ast.parse(call.strip(), mode="eval").body
    except SyntaxError:
        raise AppError(f"'{spec}' is no app spec; expected MODULE[:NAME[(ARGS)]]") from None
    arguments = None
    if isinstance(expression, ast.Call):
        arguments = _literals(expression, spec)
        expression = expression.func
    target = _look_up(module, expression, spec)
    return target if arguments is None else _call(target, arguments, ast.unparse(expression), spec)


def _look_up(module, expression, spec):
    if isinstance(expression, ast.Name):
        owner, name = module, expression.id
    elif isinstance(expression, ast.Attribute):
        owner, name = _look_up(module, expression.value, spec), expression.attr
    else:
        raise AppError(f"'{spec}' is no app spec; NAME is a name, or names with dots between them")
    try:
        return getattr(owner, name)
    except AttributeError:
        raise AppError(_has_no(owner, name)) from None


def _literals(expression, spec):
    try:
        if any(each.arg is None for each in expression.keywords):
            raise ValueError
        positional = [ast.literal_eval(each) for each in expression.args]
        return positional, {each.arg: ast.literal_eval(each.value) for each in expression.keywords}
    except ValueError:
        raise AppError(f"'{spec}': the arguments of a factory are literals: text in quotes, numbers, True, False, None") from None


def _call(factory, arguments, name, spec):
    positional, keywords = arguments
    try:
        app = factory(*positional, **keywords)
    except TypeError as error:
        if error.__traceback__.tb_next is None:  # of the call itself
            raise AppError(str(error)) from None
        raise _fault(spec, error) from None
    except BaseException as error:
        raise _fault(spec, error) from None
    if app is None:
        raise AppError(f"{spec}: {name}() returned None, and no app")
    return app


def _has_no(owner, name):
    owner_name = owner.__name__ if isinstance(owner, types.ModuleType) else type(owner).__name__
    there = [_shown(each, value) for each, value in vars(owner).items() if _may_be_app(owner, each, value)]
    if not there:
        return f"{owner_name} has no '{name}', and nothing that could be an app"
    return f"{owner_name} has no '{name}'; it has {', '.join(there[:_MOST_LISTED])}"


def _may_be_app(owner, name, value):
    if name.startswith("_") or not callable(value) or isinstance(value, type):
        return False
    if inspect.isroutine(value):
        return getattr(value, "__module__", None) == getattr(owner, "__name__", None)
    return True


def _shown(name, value):
    return name if not inspect.isfunction(value) or _parameters(value) == 2 else name + "()"


def _parameters(function):
    return function.__code__.co_argcount


# ---- The app


def _check_app(app, spec):
    if not callable(app):
        raise AppError(f"{spec} is {_article(type(app).__name__)}, which cannot be called: it is no WSGI app")
    call = getattr(type(app), "__call__", None)
    if inspect.iscoroutinefunction(app) or (not inspect.isroutine(app) and inspect.iscoroutinefunction(call)):
        raise AppError(f"{spec} is an ASGI app (async def); cppcorn serves WSGI apps")
    if inspect.isfunction(app) and _must_be_factory(app):
        raise AppError(f"{spec} takes no environ and no start_response; if it makes the app, ask for '{spec}()'")


def _must_be_factory(function):
    code = function.__code__
    return code.co_argcount == 0 and not code.co_flags & inspect.CO_VARARGS


def _article(word):
    return ("an " if word[:1].lower() in "aeiou" else "a ") + word
