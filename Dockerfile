# Build:  docker build -t pfdicom_tagsub .
# Use:    docker run --rm --init -v /incoming:/in:ro -v /anon:/out pfdicom_tagsub \
#             --inputDir /in --outputDir /out --tagFile /in/spec.json
# The user below has to be able to write to /anon; see docs/how-to/containers.rst.

# The base image has a tag and no digest yet: its digest is known to a registry alone, and none could be
# asked when this was written. "python3 tools/renew_image.py" writes it here, where a registry is reached.
FROM python:3.13-slim-bookworm AS base

FROM base AS build
WORKDIR /src
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
COPY image ./image
# pfmisc comes as source only, so it is built: by the pip and the setuptools of build-requirements.txt, since
# what pip would fetch to build in isolation has no hash.
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes -r image/build-requirements.txt \
    && /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels \
        --require-hashes -r image/requirements.txt
COPY setup.py pyproject.toml README.rst LICENSE ./
COPY pfdicom_tagSub ./pfdicom_tagSub
COPY share ./share
# The last line fails where a requirement is missing, but for pudb, which is left out (see tools/renew_image.py).
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /wheels . \
    && python -m venv --without-pip /opt/pfdicom_tagSub \
    && /opt/build/bin/pip --python /opt/pfdicom_tagSub/bin/python install --no-deps --no-index /wheels/*.whl \
    && ! /opt/build/bin/pip --python /opt/pfdicom_tagSub/bin/python check | grep -Ev 'requires pudb,|^No broken'

FROM base
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
