# Daicho as one image: web server, worker and console. All it does is call bin/install-production.
FROM python:3.13-slim AS build
WORKDIR /source
COPY . .
RUN bin/install-production /opt/daicho

FROM python:3.13-slim
RUN useradd --system --create-home --home-dir /var/lib/daicho daicho
COPY --from=build /opt/daicho /opt/daicho
ENV DAICHO_DATA=/var/lib/daicho PATH=/opt/daicho/bin:$PATH
USER daicho
EXPOSE 8000
CMD ["daicho", "serve", "--host", "0.0.0.0"]
HEALTHCHECK --interval=15s --timeout=5s CMD \
  ["/opt/daicho/venv/bin/python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz')"]
