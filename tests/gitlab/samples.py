"""A job's payload as GitLab sends it, in part: for tests in which no gitlab-runner takes it."""

TOKEN = "glcbt-64_the-jobs-own"


def payload(url: str = "https://gitlab.example.com", **more: object) -> dict[str, object]:
    """Return the payload of a job of the GitLab at an address."""
    scheme, _, host = url.partition("://")
    repo_url = f"{scheme}://gitlab-ci-token:{TOKEN}@{host}/group/project.git"
    return {
        "id": 17,
        "token": TOKEN,
        "job_info": {"name": "job", "stage": "test", "project_id": 3},
        "git_info": {"repo_url": repo_url},
        "variables": [],
        **more,
    }
