"""The REST API: routers of the rooms under one roof, problems as application/problem+json (RFC 9457)."""

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from campaigns.api import acts
from campaigns.api import router as purchases
from catalog.api import router as catalogue
from config.answers import answer
from config.pages.contracts import router as contracts
from config.pages.earnrules import router as earn_rules
from config.pages.keeping import router as rewards
from config.pages.points import router as points
from config.pages.tiertable import router as tiers
from loyalty.problems import Problem, invalid
from members.api import router as members

api = NinjaAPI(title="Regulars", version="1", description="Members, points and purchases for tills, apps and partners.")
api.add_router("", members)
api.add_router("", points)
api.add_router("", purchases)
api.add_router("", acts)
api.add_router("", catalogue)
api.add_router("", contracts)
api.add_router("", tiers)
api.add_router("", earn_rules)
api.add_router("", rewards)

STATUS_SLUGS = {400: "validation", 401: "unauthenticated", 404: "not-found", 405: "method-not-allowed", 429: "rate-limited"}


@api.exception_handler(Problem)
def on_problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    return answer(problem)


@api.exception_handler(ValidationError)
def on_validation(request: HttpRequest, error: ValidationError) -> HttpResponse:
    # A location is ("body", "body", "lines", 0, "net_amount"): where it came from, the parameter, the way in.
    return answer(invalid(error.errors, below=2))


@api.exception_handler(AuthenticationError)
def on_unauthenticated(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    response = answer(Problem("unauthenticated", "Send a valid key as `Authorization: Bearer <key>`.", status=401))
    response["WWW-Authenticate"] = "Bearer"
    return response


@api.exception_handler(Http404)
def on_missing(request: HttpRequest, error: Http404) -> HttpResponse:
    return answer(Problem("not-found", "There is nothing at this address.", status=404))


@api.exception_handler(HttpError)
def on_http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    return answer(Problem(STATUS_SLUGS.get(error.status_code, "validation"), str(error), status=error.status_code))
