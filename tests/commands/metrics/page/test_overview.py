"""The page of a host, as a browser reads it."""

from executor.commands.metrics.left import Check, Doctor
from executor.commands.metrics.page.facts import Facts
from executor.commands.metrics.page.overview import document, overview, result_mark, strip
from executor.commands.metrics.page.rows import now_rows, past_rows
from executor.record.endings import RESULTS
from tests.commands.metrics.page.samples import NOW, a_container, ended, facts, going
from tests.commands.metrics.page.test_markup import EVIL, Reader


def words(found: Facts) -> str:
    return " ".join(Reader(overview(found)).texts)


def test_a_host_on_which_nothing_has_run() -> None:
    """Each part says so."""
    text = words(facts(past=[]))

    assert "Nothing needs attention." in text
    assert "No job runs." in text
    assert "No job has ended yet." in text


def test_jobs_now_and_then() -> None:
    """Each has its phase or its result, whose fault it is, and its length."""
    rows, _ = now_rows([going()], [a_container()], NOW)
    jobs = [ended(), ended("success", "none", "9-b"), ended("system_failure", "lost", "8-c")]
    text = words(facts(now=rows, past=past_rows(jobs)))

    assert "running scripts" in text
    assert "docker:28-dind, up 8 seconds" in text
    assert "The last 3 jobs" in text
    assert all(each in text for each in ("job author", "script", "host", "lost", "passed"))


def test_links_lead_to_jobs() -> None:
    """A job that records tell of has a page; another one has none."""
    known, _ = now_rows([going()], [], NOW)
    strange, _ = now_rows([], [a_container(key="5-a b/c")], NOW)
    page = Reader(overview(facts(now=[*known, *strange], past=past_rows([ended(key="9-ä?#")]))))
    links = [each.get("href") for name, each in page.tags if name == "a"]

    assert links == ["/jobs/4711-0123456789", "/jobs/9-%C3%A4%3F%23"]


def test_many_jobs_at_once() -> None:
    """The first ones are shown, and how many more there are."""
    rows, _ = now_rows([going(key=f"{each}-a") for each in range(500)], [], NOW)
    page = overview(facts(now=rows))

    # The heading has the class of its column.
    assert page.count('class="phase"') == 100 + 1
    assert "… and 400 more." in " ".join(Reader(page).texts)


def test_nothing_that_somebody_chose_becomes_more_than_a_text() -> None:
    """Names of jobs, images, directories, findings and errors are texts in each place."""
    container = a_container(
        key=EVIL,
        **{
            "dind-executor.job-id": EVIL,
            "dind-executor.project-id": EVIL,
            "com.gitlab.gitlab-runner.service": EVIL,
            "com.gitlab.gitlab-runner.job.url": f"https://{EVIL}",
        },
    )
    rows, _ = now_rows([going(key=f"1-{EVIL}")], [container], NOW)
    past = past_rows([ended(EVIL, EVIL, f"1-{EVIL}")])
    found = facts(host=EVIL, version=EVIL, now=rows, past=past, doctor_file=EVIL)
    left = found.seen.left
    assert left is not None
    assert left.sweep is not None
    check = Check(EVIL, EVIL, EVIL, EVIL)
    doctor = Doctor(NOW, is_ok=False, counts={"ok": 1, "fail": 0, "error": 0}, checks=(check,))
    left = left._replace(
        doctor=doctor, sweep=left.sweep._replace(by=EVIL, error=EVIL, left=(EVIL,))
    )

    page = Reader(overview(found._replace(seen=found.seen._replace(left=left))))

    assert not {name for name, _ in page.tags} & {"script", "img", "iframe", "style", "object"}
    names = {each for _, attributes in page.tags for each in attributes}
    assert not {each for each in names if each.startswith("on") or each == "style"}
    assert sum(EVIL in each for each in page.texts) > 8


def test_a_page_asks_nobody_else_for_anything() -> None:
    """Styles and the icon are this host's, there is no script, and it looks again by itself."""
    page = Reader(overview(facts()))
    resources = [each.get("href") for name, each in page.tags if name == "link"]

    assert resources == ["/style.css", "/icon.svg"]
    assert not any("src" in each or "style" in each for _, each in page.tags)
    assert ("meta", {"http-equiv": "refresh", "content": "30"}) in page.tags
    assert "refresh" not in document("x")


def test_each_result_has_a_mark() -> None:
    """A word and a colour; one of a later version is shown as it is."""
    assert all('class="mark ' in result_mark(each) for each in RESULTS)
    assert Reader(result_mark("strange")).texts == ["strange"]


def test_a_strip_has_a_bar_for_each_call() -> None:
    """With a title that a pointer shows; none leaves the strip."""
    (job,) = past_rows([ended()])
    page = Reader(strip(job))
    bars = [each for name, each in page.tags if name == "rect"]

    assert len(bars) == 5
    assert "build_script: 3.03 s" in page.texts
    assert all(0 <= float(each["x"] or "") <= 1000 for each in bars)
