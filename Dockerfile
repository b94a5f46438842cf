# Build:  docker build -t pfdicom_tagsub .
# Use:    docker run --rm --init -v /incoming:/in:ro -v /anon:/out pfdicom_tagsub \
#             --inputDir /in --outputDir /out --tagFile /in/spec.json
# The user below has to be able to write to /anon; see "In a container" in README.rst.

FROM python:3.13-slim-bookworm AS build
WORKDIR /src
COPY setup.py pyproject.toml README.rst LICENSE constraints.txt ./
COPY pfdicom_tagSub ./pfdicom_tagSub
RUN python -m venv /opt/pfdicom_tagSub \
    && /opt/pfdicom_tagSub/bin/pip install --no-cache-dir --constraint constraints.txt .

FROM python:3.13-slim-bookworm
# The base image has no bytecode of the standard library, and no user of this one could write it:
# every start would compile what it imports.
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin tagsub \
    && python -m compileall -q -x '/tests?/' "$(python -c 'import os; print(os.path.dirname(os.__file__))')"
COPY --from=build /opt/pfdicom_tagSub /opt/pfdicom_tagSub
ENV PATH=/opt/pfdicom_tagSub/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1
USER tagsub
WORKDIR /
ENTRYPOINT ["pfdicom_tagSub"]
