# The page and the command line in a container: docker build -t pitch-analyzer . (docs/install.md)
FROM python:3.12-slim AS build
WORKDIR /source
COPY . .
RUN python -m venv /opt/pitch \
 && /opt/pitch/bin/pip install --no-cache-dir --disable-pip-version-check '.[documents,postgresql,login]' -c constraints.txt \
 && /opt/pitch/bin/pitch analyze --model keywords --no-store fixtures/pitches/cabstand.txt > /dev/null

FROM python:3.12-slim
COPY --from=build /opt/pitch /opt/pitch
RUN useradd --uid 10001 --create-home pitch && install -d -o pitch -g pitch /data
USER pitch
WORKDIR /data
ENV PATH=/opt/pitch/bin:$PATH \
    PITCH_ADDRESS=0.0.0.0 \
    PITCH_STORE=sqlite:////data/pitch.db
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
ENTRYPOINT ["pitch"]
CMD ["app", "--no-browser"]
