# The two commands in an image without build tools. Settings come from outside; docs/container.md says how.
#
#   docker build -t tap-billing-reports .
#
# EXTRAS: extras of the project, such as [s3,parquet]. EXTRA_PACKAGES: what else is needed, such as gcsfs.

FROM python:3.12-slim AS build
ARG EXTRAS=""
ARG EXTRA_PACKAGES=""
WORKDIR /build
RUN python -m venv /opt/tap
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY schemas schemas
COPY dbt dbt
COPY templates templates
COPY tap_billing_reports tap_billing_reports
RUN /opt/tap/bin/pip install --no-cache-dir --constraint constraints.txt ".${EXTRAS}" ${EXTRA_PACKAGES} \
    && /opt/tap/bin/pip uninstall --yes pip

FROM python:3.12-slim
COPY --from=build /opt/tap /opt/tap
ENV PATH="/opt/tap/bin:$PATH" PYTHONDONTWRITEBYTECODE=1
# A number, so that an orchestrator can tell that it is not root; STATE and storage folders must be writable for it.
RUN useradd --uid 10001 --create-home tap
USER 10001
WORKDIR /home/tap
CMD ["tap-billing-reports", "--help"]
