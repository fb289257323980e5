"""Run by the Python of a Ray: reads a JSON list of texts from stdin, prints a JSON list of what Ray's launcher says to each
before it asks its provider anything: "" (taken) or the reason."""
import contextlib
import io
import json
import logging
import sys

import yaml
from ray.autoscaler._private.providers import _NODE_PROVIDERS
from ray.autoscaler._private.util import prepare_config, validate_config


def verdict(text):
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            config = yaml.safe_load(text)
            if not _NODE_PROVIDERS.get(config["provider"]["type"]):
                return "unknown provider type"
            config["cluster_name"]
            validate_config(prepare_config(config))
        return ""
    except BaseException as e:  # cli_logger.abort() ends in a click exception
        return "%s: %s" % (type(e).__name__, str(e).split("\n")[0])


logging.disable(logging.CRITICAL)
json.dump([verdict(t) for t in json.load(sys.stdin)], sys.stdout)
