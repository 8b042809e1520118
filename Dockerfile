# The application as an image: web, worker, beat and the one-off migrate are the same image with different commands.
# glibc, not musl: binary wheels. One stage builds, the other carries no build tool.

FROM python:3.13-slim AS build
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir uv==0.13.9
COPY requirements.txt /
RUN uv venv /opt/venv && uv pip install --no-cache --python /opt/venv --require-hashes -r /requirements.txt
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /app
COPY . .
# Settings ask for these three; collecting static files uses none of them.
RUN SECRET_KEY=build DATABASE_URL=postgresql://nowhere/none REDIS_URL=redis://nowhere REGULARS_STATIC_ROOT=/opt/static \
    python manage.py collectstatic --no-input --verbosity 0 && python -m compileall -q .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin regulars \
    && install -d -o regulars -m 0700 /checkpoints /media
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/static /opt/static
COPY --from=build /app /app
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 REGULARS_STATIC_ROOT=/opt/static
WORKDIR /app
USER regulars
EXPOSE 8000
# Nothing starts as a role that could change the ledger; `migrate` alone, which has to, comes in by another door.
ENTRYPOINT ["sh", "-c", "python manage.py check --database default && exec \"$@\"", "--"]
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--blocking-threads", "4", \
     "--no-ws", "--respawn-failed-workers", "config.wsgi:application"]
