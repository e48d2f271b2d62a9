from pathlib import Path

from setuptools import find_packages, setup

TEST = [
    "build",
    "django-stubs>=5.2",
    "h11>=0.14",
    "hypothesis>=6.100",
    "mypy>=1.15",
    "playwright>=1.49",
    "psutil>=6.0",
    "pytest>=8.3",
    "pytest-randomly>=3.16",
    "pytest-timeout>=2.3",
    "pytest-xdist>=3.6",
    "python-socketio[client]>=5.11",
    "redis[hiredis]>=5.1",
    "requests>=2.32",
    "ruff>=0.9",
    "types-gevent>=24.11",
    "types-psutil",
    "types-requests",
]

setup(
    name="realtime-wall",
    version="0.1.0",
    description="Realtime for ordinary Django: pages and live sockets from one gevent process",
    long_description=Path(__file__).with_name("README.rst").read_text(encoding="utf-8"),
    long_description_content_type="text/x-rst",
    author="the realtime_wall contributors",
    license="BSD-3-Clause",
    python_requires=">=3.11",
    packages=find_packages(include=["realtime_wall", "realtime_wall.*"]),
    package_data={
        "realtime_wall": [
            "py.typed",
            "static/**/*",
            "templates/**/*",
            "wall/static/**/*",
            "wall/templates/**/*",
            "wall/samples/*",
            "wall/locale/**/*",
        ]
    },
    install_requires=[
        "Django>=5.2",
        "blinker>=1.8",
        "gevent>=25.9",
        "gevent-websocket>=0.10.1,<0.11",
        "requests>=2.32",
        "tweepy>=4.16,<5",
        "websockets>=15",
    ],
    extras_require={
        "static": ["whitenoise>=6.9"],
        "redis": ["redis[hiredis]>=5.1"],
        "postgres": ["psycopg[binary,pool]>=3.2"],
        "test": TEST,
        "dev": TEST,
    },
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Web Environment",
        "Framework :: Django",
        "Framework :: Django :: 5.2",
        "Intended Audience :: Developers",
        "Operating System :: MacOS",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Internet :: WWW/HTTP :: HTTP Servers",
        "Typing :: Typed",
    ],
)
