"""An operator's tour of the admin, in a real browser over the real stack."""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Callable
from typing import Literal

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from playwright.sync_api import Locator, Page, expect

from jobs import batches, transitions
from jobs.models import DeadLetter, Job, Queue, Resolution
from jobs.priority import CRITICAL
from jobs.status import JobStatus
from jobs.worker import heartbeat
from tests import environment, kinds
from tests.browser.conftest import SECONDS, Visit
from tests.builders import make_claimed_job, make_job, make_user
from tests.stack import Stack, wait_for

pytestmark = [pytest.mark.stack, pytest.mark.browser]

Begin = Callable[[str], Visit]
Shoot = Callable[[Page, str], None]

LETTERS = 40
SLOW = 60 * SECONDS  # a busy machine has many things to do at once
# Writes down every number of waiting jobs that the dashboard shows from now on.
RECORD = """element => {
  window.seen = [Number(element.textContent)];
  new MutationObserver(() => seen.push(Number(element.textContent)))
    .observe(element, {subtree: true, childList: true, characterData: true});
}"""

# The headings of a list's columns for which one has to scroll sideways.
COLUMNS_OUT_OF_SIGHT = """() => [...document.querySelectorAll(".results")].flatMap(box =>
  [...box.querySelectorAll("thead th")]
    .filter(cell => cell.getBoundingClientRect().right > box.getBoundingClientRect().right + 1)
    .map(cell => cell.textContent.trim()))"""


# Whoever lets a job go on knows its kind: here that is the web server, when a retry or a resumed queue sends jobs.
WEB = "import uvicorn, jointo.asgi, tests.kinds; uvicorn.main()"


@pytest.fixture
def address(stack: Stack) -> str:
    """The address of a web server that knows the kinds of the tests too."""
    port = environment.free_port()
    argv = [sys.executable, "-c", WEB, "jointo.asgi:application", "--port", str(port)]
    process = stack.start("web", [*argv, "--timeout-graceful-shutdown", "2"], DJANGO_ALLOW_ASYNC_UNSAFE="")

    def listens() -> bool:
        assert process.alive, process.text()[-4000:]
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_for(listens, what="the web server")
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def operator(visit: Begin) -> Visit:
    """An operator, signed in, on the first page of the admin."""
    make_user("olga", is_staff=True, is_superuser=True)
    olga = visit("olga")
    olga.page.get_by_role("link", name="Admin").click()
    return olga


def start_worker(stack: Stack) -> None:
    stack.worker(DJANGO_ALLOW_ASYNC_UNSAFE="")  # the guard is for this process alone


def make_failing_job(owner: str) -> Job:
    """Fails as often as it may, and goes well when it is tried once more."""
    user = get_user_model().objects.get(username=owner)
    return make_job("tests.kinds.fail_until", args=(3,), max_attempts=2, owner_id=user.pk)


def tile(page: Page, name: str) -> Locator:
    """One of the dashboard's big numbers."""
    return page.locator(f"[data-tile={name}] .dash-number")


def queue(page: Page, name: str) -> Locator:
    """A row of the dashboard's queues."""
    return page.locator(f"#queues tr[data-key={name}]")


def open_list(page: Page, address: str) -> None:
    """By its link in the admin's menu."""
    page.locator(f".module:is(#nav-sidebar *, #content-main *) a[href='{address}']").first.click()


def open_dashboard(page: Page) -> None:
    open_list(page, "/admin/jobs/job/")
    page.get_by_role("link", name="Dashboard").click()
    expect(page.locator("#live")).to_have_attribute("data-state", "live")


def row_of(page: Page, job: Job) -> Locator:
    """A job's row in the list."""
    return page.locator("#result_list tbody tr", has_text=str(job.pk)[:8])


def check(visit: Visit) -> None:
    """Nothing went wrong in the browser, and nothing was asked of anybody else."""
    # Django's admin names no icon, and so the browser asks for one by itself.
    visit.errors[:] = [error for error in visit.errors if "/favicon.ico" not in error]
    visit.check()


def act(page: Page, action: str) -> None:
    """Do something to the rows that are chosen."""
    page.get_by_label("Action:").select_option(label=action)
    page.get_by_role("button", name="Run").or_(page.get_by_role("button", name="Go")).click()


def test_an_operator_reads_why_a_job_failed_and_retries_it_and_then_forty_dead_letters(
    stack: Stack, operator: Visit, shoot: Shoot
) -> None:
    page = operator.page
    make_user("ann")
    make_user("bob")
    job = make_failing_job("ann")
    for _ in range(LETTERS):
        make_failing_job("bob")
    start_worker(stack)

    # The dashboard tells of the trouble.
    open_dashboard(page)
    expect(tile(page, "letters")).to_have_text(str(LETTERS + 1), timeout=SLOW)
    expect(page.locator("#letters")).to_contain_text("unexpected")
    shoot(page, "trouble")

    # One user asks about a job: it is found among those that failed, and says why.
    open_list(page, "/admin/jobs/job/")
    page.locator("#changelist-filter").get_by_role("link", name="failed").click()
    page.locator("#searchbar").fill("ann")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    shoot(page, "failed-jobs")
    row_of(page, job).get_by_role("link").first.click()
    expect(page.locator(".field-error_message").first).to_contain_text("ValueError: not yet: 2")
    expect(page.locator("pre", has_text="raise ValueError").first).to_be_visible()
    shoot(page, "failed-job")

    # It is done again, and this time it works.
    page.go_back()
    row_of(page, job).get_by_role("checkbox").check()
    act(page, "Retry")
    expect(page.locator(".messagelist")).to_contain_text("1 job was changed.")
    wait_for(lambda: Job.objects.get(pk=job.pk).status == JobStatus.COMPLETED, what="the job that was retried")

    # The same for all that failed alike, in one go and with a note.
    open_dashboard(page)
    expect(tile(page, "letters")).to_have_text(str(LETTERS))
    page.locator("#letters").get_by_role("link", name="unexpected").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(LETTERS)
    page.locator("#action-toggle").check()
    shoot(page, "dead-letters")
    act(page, "Retry")
    expect(page.locator("#content")).to_contain_text(f"{LETTERS} dead letters are chosen.")
    page.get_by_label("Note").fill("The provider is back.")
    shoot(page, "note")
    page.get_by_role("button", name="Retry").click()
    expect(page.locator(".messagelist")).to_contain_text(f"{LETTERS} dead letters were resolved.")
    retried = DeadLetter.objects.filter(resolution=Resolution.RETRIED, note="The provider is back.")
    assert retried.filter(resolved_by="olga").count() == LETTERS

    # Nothing needs anybody any more.
    open_dashboard(page)
    expect(page.locator("#no-letters")).to_be_visible()
    ended = page.locator("[data-tile=success] .dash-note")
    expect(ended).to_contain_text(f"{LETTERS + 1} completed", timeout=SLOW)
    shoot(page, "trouble-over")
    assert set(Job.objects.filter(kind="tests.kinds.fail_until").values_list("status", flat=True)) == {"completed"}
    check(operator)


def test_an_operator_pauses_a_queue_lets_an_urgent_job_pass_and_sees_the_dashboard_move(
    stack: Stack, operator: Visit, shoot: Shoot
) -> None:
    page = operator.page
    start_worker(stack)
    open_dashboard(page)
    expect(page.locator("#workers > li")).to_have_count(1)

    # Paused: what is submitted waits.
    queue(page, "maintenance").get_by_role("button", name="Pause maintenance").click()
    expect(queue(page, "maintenance").locator(".dash-badge")).to_be_visible()
    assert Queue.objects.get(name="maintenance").paused
    waiting = [kinds.sleep.apply_async((0.8,), owner_id=make_user().pk).id for _ in range(30)]
    expect(tile(page, "waiting")).to_have_text("30")
    expect(queue(page, "maintenance").locator(".dash-level b")).to_have_text("30")
    shoot(page, "paused")

    # The one that came last is urgent.
    urgent = Job.objects.get(pk=waiting[-1])
    queue(page, "maintenance").get_by_role("link", name="maintenance").click()
    row_of(page, urgent).get_by_role("checkbox").check()
    act(page, "Priority: critical")
    expect(page.locator(".messagelist")).to_contain_text("1 job was changed.")
    expect(row_of(page, urgent).locator(".field-priority")).to_have_text(str(CRITICAL))
    shoot(page, "urgent")

    # Resumed: the line gets shorter before one's eyes, and the urgent job came first.
    open_dashboard(page)
    expect(tile(page, "waiting")).to_have_text("30")
    tile(page, "waiting").evaluate(RECORD)
    queue(page, "maintenance").get_by_role("button", name="Resume maintenance").click()
    expect(tile(page, "processing")).not_to_have_text("0")
    expect(page.locator("#workers > li li").first).to_contain_text("sleep")
    shoot(page, "moving")
    expect(tile(page, "waiting")).to_have_text("0", timeout=SLOW)
    seen = page.evaluate("window.seen")
    assert len(seen) >= 3 and seen == sorted(seen, reverse=True), seen
    expect(page.locator("[data-tile=success] .dash-note")).to_contain_text("30 completed", timeout=SLOW)
    expect(page.locator(".dash-chart canvas")).to_have_count(5)
    shoot(page, "done")
    started = list(Job.objects.order_by("started_at").values_list("pk", flat=True))
    assert urgent.pk in started[:2], "two start at the same time"
    check(operator)


def test_an_operator_changes_when_something_runs_and_beat_goes_by_it(
    stack: Stack, operator: Visit, shoot: Shoot
) -> None:
    page = operator.page
    start_worker(stack)
    stack.beat(DJANGO_ALLOW_ASYNC_UNSAFE="")
    entry = PeriodicTask.objects.get(task="jobs.tasks.reset_hourly_quota")
    assert entry.crontab, "hourly"

    open_list(page, "/admin/django_celery_beat/periodictask/")
    row = page.locator("#result_list tbody tr", has_text=entry.name)
    expect(row).to_be_visible()
    shoot(page, "schedule")

    # Every other second instead, which no schedule does yet.
    row.get_by_role("link", name=entry.name).click()
    shoot(page, "entry")
    with page.expect_popup() as popup:
        page.locator("#add_id_interval").click()
    popup.value.locator("#id_every").fill("2")
    popup.value.locator("#id_period").select_option("seconds")
    popup.value.get_by_role("button", name="Save").click()
    expect(page.locator("#id_interval option:checked")).to_have_text("every 2 seconds")
    page.locator("#id_crontab").select_option("")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("was changed successfully")
    expect(row).to_contain_text("every 2 seconds")

    # Beat takes notice, and the page shows what came of it.
    changed_at = timezone.now()
    results = Job.objects.filter(kind=entry.task, created_at__gt=changed_at, status=JobStatus.COMPLETED)
    wait_for(lambda: results.count() > 1, what="the entry to run as it is planned now")
    page.reload()
    expect(row.locator(".field-last_result")).to_have_text(re.compile("completed|pending|processing"))
    shoot(page, "schedule-changed")
    row.locator(".field-last_result").get_by_role("link").click()
    expect(page.locator("#content")).to_contain_text("reset_hourly_quota")
    check(operator)


def make_a_busy_day() -> Job:
    """Jobs in several states, with names that are long, and dead letters; the job that failed last."""
    owner = make_user("a-user-with-a-rather-long-name")
    heartbeat("worker-with-a-long-name@machine-1.example.org", queues=["ai", "maintenance", "media"], concurrency=4)
    for number in range(3):
        make_claimed_job(owner_id=owner.pk, subject=f"videos.Video:{number}")
        transitions.complete(make_claimed_job(owner_id=owner.pk), result=number)
        make_job("tests.kinds.effect_thrice_told", args=(), owner_id=owner.pk, queue="media")
        failed = make_claimed_job(owner_id=owner.pk, subject=f"videos.Video:{1000 + number}")
        message = "The provider answered 503 Service Unavailable, and went on doing so for as long as it was asked."
        transitions.fail(failed, code="provider_unavailable", message=message, dead=True)
    batches.create(kinds.add, [((1, 2), {}), ((3, 4), {})], owner_id=owner.pk, name="a batch with a rather long name")
    return failed


def look_at(visit: Visit, name: str, path: str, *, lang: str, shoot: Shoot) -> None:
    """Open a page wide and by day, then narrow and by night."""
    page = visit.page
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{visit.address}/admin/{path}")
    expect(page.locator("html")).to_have_attribute("lang", lang)
    if name == "dashboard":
        expect(page.locator(".dash-chart canvas")).to_have_count(5)
    looks: tuple[tuple[int, Literal["light", "dark"]], ...] = ((1280, "light"), (800, "dark"))
    for width, theme in looks:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme)
        shoot(page, f"{lang}-{name}-{width}-{theme}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is cut off"
        if width == 1280:
            assert page.evaluate(COLUMNS_OUT_OF_SIGHT) == [], f"{name} in {lang}"
    if name == "dashboard":
        page.set_viewport_size({"width": 390, "height": 900})
        shoot(page, f"{lang}-{name}-390")
        for button in page.locator("#queues button").all():
            box = button.bounding_box()
            assert box is not None and box["x"] + box["width"] <= 390, "who is called at night has a telephone"


def test_the_operators_pages_fit_wide_and_narrow_by_day_and_by_night_in_both_languages(
    operator: Visit, shoot: Shoot
) -> None:
    page = operator.page
    failed = make_a_busy_day()
    pages = {
        "index": "",
        "dashboard": "jobs/job/dashboard/",
        "jobs": "jobs/job/",
        "job": f"jobs/job/{failed.pk}/change/",
        "letters": "jobs/deadletter/",
        "schedule": "django_celery_beat/periodictask/",
        "results": "django_celery_results/taskresult/",
        "batches": "jobs/batch/",
    }
    for language, lang in (("English", "en"), ("简体中文", "zh-hans")):
        if lang != "en":
            page.goto(operator.address)
            page.get_by_role("button", name=language).click()
            expect(page.locator("html")).to_have_attribute("lang", lang)
        for name, path in pages.items():
            look_at(operator, name, path, lang=lang, shoot=shoot)
        page.goto(f"{operator.address}/admin/jobs/deadletter/")
        page.locator("#action-toggle").check()
        page.locator("select[name=action]").select_option("discard")
        page.locator("button[name=index]").click()
        expect(page.locator("#note")).to_be_focused()
        shoot(page, f"{lang}-note")
    check(operator)
