"""What the pages of the server share: style sheet, scripts, navigation, and pages of problems."""

from __future__ import annotations

from engine.reporting.templating import render_template

ACCOUNTS_URL = "/"
RUNS_URL = "/runs"
"""Address of the index of runs; the pages of runs are below it."""

STYLESHEET_URL = "/static/pages.css"
PAGE_SCRIPT_URL = "/static/pages.js"
"""The other script imports it by its name beside it."""

LIVE_SCRIPT_URL = "/static/live.js"
EVENTS_URL = "/events"

AREAS = (("accounts", "Accounts", ACCOUNTS_URL), ("runs", "Runs", RUNS_URL))


def render_site_page(template: str, *, area: str, **context: object) -> str:
    """Renders a page of the server, whose styles and scripts are files beside it.

    Args:
        template: Its template, which extends `site.html.j2`.
        area: Part of the site: `accounts` or `runs`.
        context: Values of the template.
    """
    return render_template(
        template,
        area=area,
        areas=AREAS,
        stylesheet_url=STYLESHEET_URL,
        live_script_url=LIVE_SCRIPT_URL,
        events_url=EVENTS_URL,
        **context,
    )


def render_problem(problem: str, *, area: str) -> str:
    """A page that says what is wrong.

    Args:
        problem: Text of an error, which may have several lines.
        area: Part of the site: `accounts` or `runs`.
    """
    return render_site_page("problem.html.j2", area=area, problem=problem)


def render_stylesheet() -> str:
    """The style sheet of the server's pages."""
    return render_template("stylesheet.css.j2")


def render_page_script() -> str:
    """The script of charts and tables, a module that exports `enhance`."""
    return render_template("pages.js.j2")


def render_live_script() -> str:
    """The script that keeps a page up to date, a module."""
    return render_template("js/live.js")
