import os
import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = "0.1.0"

WALL = ["feedparser>=6.0.12", "requests>=2.32", "tweepy>=4.16,<5"]

TEST = [
    *WALL,
    "bcrypt>=4",
    "build",
    "check-jsonschema>=0.31",
    "django-allauth>=65",
    "django-axes>=8",
    "django-cors-headers>=4.9",
    "django-csp>=4",
    "django-debug-toolbar>=6",
    "django-otp>=1.6",
    "django-simple-history>=3.10",
    "django-stubs>=5.2",
    "django-waffle>=5",
    "h11>=0.14",
    "httpx>=0.28",
    "hypothesis>=6.100",
    "msgpack>=1.1",
    "mypy>=1.15",
    "opentelemetry-sdk>=1.25",
    "pillow>=11",
    "playwright>=1.49",
    "prometheus-client>=0.21",
    "psutil>=6.0",
    "pytest>=8.3",
    "pytest-django>=4.9",
    "pytest-randomly>=3.16",
    "pytest-timeout>=2.3",
    "pytest-xdist>=3.6",
    "python-socketio[client]>=5.11",
    "pyright>=1.1.390",
    "pyyaml>=6",
    "redis[hiredis]>=5.1",
    "ruff>=0.9",
    "segno>=1.6",
    "sentry-sdk>=2",
    "setuptools>=77",
    "sphinx>=8",
    "twine>=6.1",
    "types-gevent>=24.11",
    "types-psutil",
    "types-requests",
]


def repository():
    """Where this is published from: whoever builds a release says it, its source distribution knows it."""
    known = HERE / "PKG-INFO"
    found = re.search(r"^Project-URL: Source, (.+)$", known.read_text(), re.M) if known.exists() else None
    return os.environ.get("REPOSITORY_URL") or (found[1] if found else "")


def description(source):
    """The README, whose pictures and pages a package index finds at the repository, or not at all."""
    text = (HERE / "README.rst").read_text(encoding="utf-8")
    if not source:
        return re.sub(r"^\.\. image:: .+\n(?:   .+\n)*", "", text, flags=re.M)
    text = re.sub(r"^(\.\. image:: )(?!https:)", rf"\1{source}/raw/v{VERSION}/", text, flags=re.M)
    page = rf"`\1 <{source}/blob/v{VERSION}/\1>`__"
    return re.sub(r"``((?:docs/|CONTRIBUTING)[\w/.-]*)``", page, text)


def urls(source):
    pages = f"{source}/blob/v{VERSION}"
    return {
        "Source": source,
        "Documentation": f"{source}/tree/v{VERSION}/docs",
        "Changes": f"{pages}/CHANGELOG.rst",
        "Issues": f"{source}/issues",
        "Security": f"{pages}/.github/SECURITY.rst",
    }


SOURCE = repository()

setup(
    name="realtime-wall",
    version=VERSION,
    description="Realtime for ordinary Django: pages and live sockets from one gevent process",
    long_description=description(SOURCE),
    long_description_content_type="text/x-rst",
    project_urls=urls(SOURCE) if SOURCE else {},
    keywords="django realtime websocket socket.io server-sent-events long-polling presence pubsub gevent",
    author="the realtime_wall contributors",
    license="BSD-3-Clause",
    python_requires=">=3.11",
    packages=find_packages(include=["realtime_wall", "realtime_wall.*"]),
    package_data={
        "realtime_wall": [
            "py.typed",
            "static/**/*",
            "templates/**/*",
            "management/live_app/**/*",
            "monitor/static/**/*",
            "monitor/templates/**/*",
            "wall/static/**/*",
            "wall/templates/**/*",
            "wall/samples/*",
            "wall/word_lists/*",
            "wall/locale/**/*",
        ]
    },
    install_requires=[
        "Django>=5.2",
        "blinker>=1.8",
        "gevent>=25.9",
        "gevent-websocket>=0.10.1,<0.11",
        "websockets>=15",
    ],
    entry_points={
        # By its module's name: whoever names it as a plug-in as well loads it once.
        "pytest11": ["realtime_wall.testing.pytest_plugin = realtime_wall.testing.pytest_plugin"],
    },
    extras_require={
        "wall": WALL,  # for X, Mastodon and Bluesky
        "static": ["whitenoise>=6.9"],
        "msgpack": ["msgpack>=1.1"],
        "redis": ["redis[hiredis]>=5.1"],
        "phone": ["pillow>=11", "segno>=1.6"],
        "opentelemetry": ["opentelemetry-api>=1.25"],
        "postgres": ["psycopg[binary,pool]>=3.2"],
        "test": TEST,
        "dev": TEST,
    },
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Web Environment",
        "Framework :: Django",
        "Framework :: Django :: 5.2",
        "Framework :: Django :: 6.0",
        "Intended Audience :: Developers",
        "Operating System :: MacOS",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Programming Language :: Python :: 3.14",
        "Topic :: Internet :: WWW/HTTP :: HTTP Servers",
        "Typing :: Typed",
    ],
)
