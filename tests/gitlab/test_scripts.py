"""Scripts and variables through a real gitlab-runner: what a job's log shows of them."""

import gzip
import hashlib
import re
from dataclasses import replace
from pathlib import Path

from executor.local.pipeline.file import parse_pipeline
from executor.local.project.checkout import Checkout
from executor.local.project.variables import Variable
from tests.gitlab import runner, trace
from tests.gitlab.jobs import Job
from tests.gitlab.pipelines import Pushed
from tests.gitlab.server import GitLab
from tests.rig.state import Rig


def started(pushed: Pushed, text: str, *steps: tuple[str, str]) -> Job:
    """Start the one job of a pipeline; `steps` are names and commands in place of its script."""
    pipeline = parse_pipeline(text, "test")
    if not steps:
        return pushed.start_only(pipeline)
    sent = [
        {
            "name": name,
            "script": [command],
            "timeout": 600,
            "when": "always" if name == "after_script" else "on_success",
            "allow_failure": name == "after_script",
        }
        for name, command in steps
    ]
    (definition,) = pipeline.jobs
    return pushed.start(definition, pushed.facts(pipeline), more={"steps": sent})


def told(job: Job) -> tuple[str, str, int]:
    """Return what GitLab was told about the end of a job."""
    return job.state, job.failure_reason, job.exit_code


JOB = "job: {image: busybox, variables: {GIT_STRATEGY: none}, script: [ignored]}"


def test_steps_run_in_order_until_one_fails(pushed: Pushed) -> None:
    """A failure skips script and release steps that follow; after_script runs anyway."""
    after = ("after_script", "echo after-$CI_JOB_STATUS$PASSED")
    one = "echo one; echo PASSED=-passed >>$GITLAB_ENV"
    jobs = [
        started(
            pushed,
            JOB.replace("script:", "cache: {key: one, paths: [nowhere$PASSED]}, script:"),
            ("script", one),
            ("release", "echo two`env | sed -n s,^PASSED=,,p`"),
            after,
        ),
        started(pushed, JOB, ("script", "echo one; exit 3"), ("release", "echo two"), after),
        started(pushed, JOB, ("script", "echo one"), ("release", "echo two; exit 4"), after),
    ]
    found = [
        (told(job.wait()), [line for line in trace.lines(job.trace) if line in said]) for job in jobs
        for said in [{"one", "two", "two-passed", "after-success-passed", "after-failed"}]
    ]  # fmt: skip
    assert found == [
        (("success", "", 0), ["one", "two-passed", "after-success-passed"]),
        (("failed", "script_failure", 3), ["one", "after-failed"]),
        (("failed", "script_failure", 4), ["one", "two", "after-failed"]),
    ]
    assert 'Executing "step_release" stage of the job script' in trace.plain(jobs[0].trace)
    assert "nowhere-passed: no matching files" in trace.plain(jobs[0].trace)


GIVEN = (
    Variable("RAW", "a $CI_JOB_ID `b` $(c) \\ \"d\" 'e'", raw=True),
    Variable("LINES", "first\n second\n\n", raw=True),
    Variable("LETTER", "$CI_JOB_ID dear\nreader\n", file=True, raw=True),
    Variable("EXPANDED", "${LETTER}_X-$CI_JOB_NAME"),
    Variable("HIDDEN", "hunter2-hunter2", public=False, masked=True),
    *(Variable(f"FILLER_{number}", f"{number} " + "x" * 100) for number in range(5000)),
)
VARIABLES = """
job:
  image: docker:26.1-cli
  variables: {GIT_STRATEGY: none, AFTER_SCRIPT_IGNORE_ERRORS: "false"}
  script:
    - printf 'raw=%s\\n' "$RAW"
    - printf 'lines=%s\\n' "$LINES" | wc -l
    - sha1sum <"$LETTER"
    - echo "expanded=$EXPANDED"
    - echo "hidden=$HIDDEN"
    - echo "all=$(env | grep -c ^FILLER_)"
    - echo "standing=$(tr '\\0' '\\n' </proc/1/environ | grep -c ^FILLER_)"
    - echo "token=glpat-0123456789abcdefghij"
    - echo "url=https://bucket.example/?x-amz-credential=who&part=1"
    - cat
    - echo 'PASSED=on $(touch executed)' >>$GITLAB_ENV
  after_script:
    - echo "passed=$PASSED"
    - test ! -e executed
    - |
      echo collapsed
      echo too
"""


def test_variables_reach_scripts_as_they_are(pushed: Pushed) -> None:
    """Raw, multi-line, file, masked and five thousand variables arrive; GITLAB_ENV is no code."""
    given = replace(pushed, variables=(*pushed.variables, *GIVEN))
    concealing = replace(pushed, variables=(*pushed.variables, GIVEN[4]))
    nowhere = JOB.replace("busybox", "$CI_REGISTRY_IMAGE/nowhere:$HIDDEN")
    refused, job = started(concealing, nowhere), started(given, VARIABLES).wait()
    lines = trace.lines(job.trace)
    assert told(job) == ("success", "", 0), trace.plain(job.trace)[-3000:]
    letter = hashlib.sha1(GIVEN[2].value.encode(), usedforsecurity=False).hexdigest()
    expected = [
        f"raw={GIVEN[0].value}",
        "4",
        f"{letter}  -",
        "expanded=/builds/group/project.tmp/LETTER_X-job",
        "hidden=[MASKED]",
        "token=glpat-[MASKED]",
        "url=https://bucket.example/?x-amz-credential=[MASKED]&part=1",
        "all=5000",
        "standing=5000",
        "passed=on $(touch executed)",
        "$ echo collapsed # collapsed multi-line command",
        "collapsed",
        "too",
    ]
    assert [line for line in expected if line not in lines] == []
    # Nor does what dind-executor says show what is masked.
    assert '/nowhere:[MASKED]"' in trace.plain(refused.wait().trace).partition("ERROR: ")[2]
    assert all(GIVEN[4].value.encode() not in each.trace for each in (job, refused))


def test_what_a_job_may_ask_of_the_log(pushed: Pushed) -> None:
    """The log shows each command as it runs, and warns of a number of attempts that is none."""
    jobs = [
        started(
            pushed,
            JOB.replace("GIT_STRATEGY: none", f"GIT_STRATEGY: none, {name}"),
            ("script", "echo a\necho b"),
        )
        for name in (
            'CI_DEBUG_TRACE: "true"',
            'FF_SCRIPT_SECTIONS: "true"',
            'EXECUTOR_JOB_SECTION_ATTEMPTS: "999"',
        )
    ]
    debug, _, plain = (trace.plain(job.wait().trace) for job in jobs)
    assert [told(job) for job in jobs] == [("success", "", 0)] * 3
    # Output and errors are two streams: the output of a command may overtake the end of its line.
    assert re.search(r"^\++ echo a", debug, re.MULTILINE), debug
    assert not re.search(r"^\++ echo", plain, re.MULTILINE)
    assert (
        "EXECUTOR_JOB_SECTION_ATTEMPTS: number of attempts out of the range [1, 10], using default"
        in plain
    )
    folds = [job.trace.count(b"section_start") for job in jobs]
    assert folds[1] == folds[2] + 1


def test_a_log_that_grows_too_long_changes_no_result(
    another_gitlab: GitLab, checkout: Checkout, rig: Rig, tmp_path: Path
) -> None:
    """What is over gitlab-runner's `output_limit` is cut, and the job ends as it would."""
    table = {**runner.custom(rig.settings), "output_limit": 32}
    pushed = Pushed(another_gitlab, checkout)
    flood = "seq 20000; "
    with runner.working(another_gitlab, table, tmp_path / "runner"):
        jobs = [
            started(pushed, JOB, ("script", f"{flood} exit {code}"), ("after_script", "echo after"))
            for code in (0, 42)
        ]
        endless = f"trap '{flood} exit 1' TERM; while true; do echo tick; sleep 1; done"
        jobs.append(started(pushed, JOB, ("script", endless)))
        jobs[-1].wait_for("\ntick")
        jobs[-1].cancel()
        ends = [told(job.wait()) for job in jobs]
    assert ends[:2] == [("success", "", 0), ("failed", "script_failure", 42)]
    assert ends[2][:2] == ("failed", "job_canceled")
    assert all("Job's log exceeded limit of" in trace.plain(job.trace) for job in jobs)
    assert max(len(job.trace) for job in jobs) < 60_000


REPORTING = """
job:
  image: busybox
  variables: {GIT_STRATEGY: none}
  script: [echo kept >kept, echo "<testsuites/>" >report.xml, exit 5]
  artifacts: {when: always, paths: [kept], reports: {junit: report.xml}}
"""


def test_artifacts_and_reports_of_a_failed_job_are_kept(pushed: Pushed) -> None:
    """Each kind is uploaded by itself; the job's status stays the script's."""
    job = started(pushed, REPORTING).wait()
    assert told(job) == ("failed", "script_failure", 5), trace.plain(job.trace)
    assert "Uploading artifacts for failed job" in trace.plain(job.trace)
    assert job.artifacts is not None
    assert gzip.decompress(job.reports["junit"]) == b"<testsuites/>\n"
