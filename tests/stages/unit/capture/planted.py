"""A job with a secret in each place where one may be, and in each form: what a capture must not hold."""

import base64
import html
import json
import textwrap
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

from tests.builders import a_payload, a_service, a_variable

B64 = base64.b64encode


class Planted(NamedTuple):
    """A job, and what nobody may find in its capture."""

    payload: dict[str, Any]
    values: dict[str, str]
    secrets: Mapping[str, str]
    """By what kind of secret it is, and where it stands."""
    home_logins: str
    """The runner user's docker configuration."""


def secret(kind: str) -> str:
    """Return a value that occurs nowhere else, with characters that encodings change."""
    return f"s3cr+t/{kind} <&>\"'$x%=ü"


def plain(kind: str) -> str:
    """Return such a value that stands in a URL or a shell's word as it is."""
    return f"s3cr3t-{kind}-0123456789"


def planted() -> Planted:  # noqa: PLR0915 (a list)
    """Return a job with more than forty secrets."""
    found: dict[str, str] = {}
    variables: list[dict[str, object]] = []
    values: dict[str, str] = {
        "CI_PROJECT_DIR": "/builds/g/p",
        "CI_RUNNER_VERSION": "17.9.0",
        "CI_RUNNER_SHORT_TOKEN": "t3stt0ken",
    }

    def new(kind: str, value: str = "") -> str:
        found[kind] = value or secret(kind)
        return found[kind]

    def variable(key: str, value: str, *, expanded: str = "", **how: bool) -> None:
        variables.append(a_variable(key, value, **how))
        values[key] = expanded or value

    hidden: Any = {"public": False, "masked": True}
    token = new("job token", "glcbt-64_s3cr3t-job-token")
    variable("CI_JOB_TOKEN", token, **hidden)
    masked = new("masked")
    variable("MASKED", masked, **hidden)
    multi = new("a line of a masked variable", "the-second-line-is-secret")
    variable("LINES", f"the first line\n{multi}\nthe last line", **hidden)
    variable("SHORT", new("short", "q7Zx"), **hidden)
    variable("PRIVATE", new("private"), public=False)
    variable("CI_DEPLOY_PASSWORD", new("public by mistake, by its name", plain("password")))
    variable("CI_REGISTRY_PASSWORD", new("registry password"), **hidden)
    variable("CI_JOB_JWT_V2", new("JWT", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJqb2IifQ.c2lnbmF0dXJl"))
    variable("KUBECONFIG", f"users:\n- token: {new('file variable', plain('file'))}\n", file=True)
    variable("IN_A_URL", f"https://bot:{new('login in a URL', plain('url'))}@git.example.com/x.git")
    variable(
        "QUERY", f"https://example.com/a?ref=main&private_token={new('query', plain('query'))}"
    )
    signature = new("signature of a URL", "0123456789abcdef0123456789abcdef")
    variable("UPLOAD", f"https://s3.example.com/k?X-Amz-Signature={signature}&x=1")
    variable("REFERRING", "$MASKED and more", expanded=f"{masked} and more")
    variable("WITHIN", f"before {masked} after")
    variable("AS_BASE64", B64(masked.encode()).decode())
    variable("AS_BASE64_URL", base64.urlsafe_b64encode(masked.encode()).decode().rstrip("="))
    variable("IN_BASE64", B64(f"user:{masked}\n".encode()).decode())
    variable("IN_BASE64_2", B64(f"a user:{masked}".encode()).decode())
    variable("IN_BASE64_3", B64(f"the user:{masked} and".encode()).decode())
    variable("WRAPPED", "\n".join(textwrap.wrap(B64(f"{masked}".encode() * 4).decode(), 76)))
    variable("TWICE", B64(B64(f'{{"auth":"{masked}"}}'.encode())).decode())
    variable("QUOTED", quote(masked, safe=""))
    variable("QUOTED_PLUS", quote_plus(masked).lower())
    variable("QUOTED_PATH", quote(masked))
    variable("IN_JSON", json.dumps({"password": masked}))
    variable("IN_JSON_UTF8", json.dumps({"password": masked}, ensure_ascii=False))
    variable("IN_JSON_IN_JSON", json.dumps(json.dumps([masked])))
    variable("IN_GO_JSON", json.dumps([masked]).replace("<", "\\u003c").replace("&", "\\u0026"))
    variable("IN_HTML", html.escape(masked))
    variable("IN_HEX", masked.encode().hex())
    variable("AS_DOLLARS", masked.replace("$", "$$"))
    pat = new("token of GitLab that nobody masked", "glpat-s3cr3tS3cr3tS3cr3t0")
    variable("NOTES", f"use {pat} for now")
    variable(
        "KEYS",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAAs3cr3tkeydata\n-----END OPENSSH PRIVATE KEY-----",
    )
    found["key block"] = "AAAAs3cr3tkeydata"
    login = new("login of DOCKER_AUTH_CONFIG")
    auth = B64(f"ci:{login}".encode()).decode()
    found["pair of DOCKER_AUTH_CONFIG"] = auth
    config = {"auths": {"r.example.com": {"auth": auth}, "s.example.com": {
        "username": "u", "password": new("password of DOCKER_AUTH_CONFIG"),
        "identitytoken": new("identity token"),
    }}}  # fmt: skip
    variable("DOCKER_AUTH_CONFIG", json.dumps(config))
    variable("SAYS_IT_AGAIN", f"docker login -p '{login}'")
    values["ADMINISTRATORS"] = new("set in config.toml")
    values["VAULT_PASSWORD"] = new("from a vault")
    home = new("login of the runner's user", plain("home"))
    variable("HOME_LOGIN", f"x {home}")
    payload: dict[str, Any] = a_payload(
        token=token,
        variables=variables,
        credentials=[
            {"type": "registry", "url": "r.example.com", "username": "gitlab-ci-token",
             "password": new("password of a credential")},
            {"type": "other", "url": f"https://a:{new('login of a credential', plain('cred'))}@x",
             "username": "u", "password": new("password of another credential")},
        ],
        dependencies=[{"id": 1, "token": new("token of a dependency", plain("dependency")),
                       "name": "a", "artifacts_file": {"filename": "a.zip", "size": 1}}],
        artifacts=[{"name": "a", "paths": ["x"],
                    "url": f"https://s3/a?token={new('URL of an artifact', plain('artifact'))}"}],
        cache=[{"key": "k", "paths": ["x"],
                "upload_url": f"https://s3/b?sig={new('URL of a cache', plain('cache'))}"}],
        secrets={"VAULT_PASSWORD": {"vault": {
            "server": {"url": "https://vault", "auth": {"data": {"jwt": new("JWT of a vault", plain("jwt"))}}},
            "path": new("path in a vault", plain("path")),
        }, "file": False}},
        features={"tracing": {"otel_endpoints": [{"url": "https://otel", "auth": {
            "type": "bearer", "value": new("login of tracing", plain("otel"))}}]}},
        image=a_service("ruby:3", entrypoint=["sh", "-c", f"echo {masked}"], variables=[
            a_variable("IMAGE_SECRET", new("variable of the image", plain("image")), masked=True)]),
        services=[
            a_service("postgres:16", command=["-c", f"password={masked}"], variables=[
                {"key": "POSTGRES_PASSWORD", "value": new("variable of a service", plain("service"))},
                {"key": "DSN", "value": f"postgres://u:{new('DSN of a service', plain('dsn'))}@db/x"},
            ]),
        ],
        steps=[{"name": "script", "timeout": 1, "when": "on_success", "script": [
            f"echo {masked}",
            f"curl -H 'PRIVATE-TOKEN: {new('header in a script', plain('header'))}' https://x",
            f"export API_TOKEN={new('assigned in a script', plain('assigned'))}",
            f"curl https://u:{new('URL in a script', plain('script-url'))}@example.com/",
            f"echo {token} | base64 -d",
        ]}],
        git_info={"repo_url": f"https://gitlab-ci-token:{token}@gitlab.example.com/g/p.git",
                  "ref": "main", "sha": "0" * 40},
    )  # fmt: skip
    values["CI_JOB_SERVICES"] = json.dumps(payload["services"])
    values["CI_REPOSITORY_URL"] = payload["git_info"]["repo_url"]
    home_logins = {"auths": {"h.example.com": {"auth": B64(f"h:{home}".encode()).decode()}}}
    return Planted(payload, values, found, json.dumps(home_logins))


def spellings(value: str) -> dict[str, str]:
    """Return a secret in the forms in which nobody may find it."""
    data = value.encode()
    return {
        "as it is": value,
        "JSON": json.dumps(value)[1:-1],
        "JSON in UTF-8": json.dumps(value, ensure_ascii=False)[1:-1],
        "a URL": quote(value, safe=""),
        "a form": quote_plus(value),
        "base64": B64(data).decode().rstrip("="),
        "base64 of a pair": B64(b"abc" + data).decode()[4:-4],
        "base64 for URLs": base64.urlsafe_b64encode(data).decode().rstrip("="),
        "hexadecimal": data.hex(),
        "HTML": html.escape(value),
    }
