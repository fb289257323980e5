"""raydog.py build NAME STATE-FILE TEMPLATES... | shut-down STATE-FILE: the RayDog library as its users call it.

TEMPLATES: of the head, of observability (- for none), then POOL=TEMPLATE:COUNT each. The platform and its key come from the
environment (YD_API_URL, YD_API_KEY_ID, YD_API_KEY_SECRET), scripts from HEAD_SCRIPT, WORKER_SCRIPT, OBSERVABILITY_SCRIPT."""
import os
import sys
from datetime import timedelta

from yellowdog_ray.raydog import builder

builder.HEAD_NODE_TASK_POLLING_INTERVAL = timedelta(seconds=1)
KEY = (os.environ["YD_API_KEY_ID"], os.environ["YD_API_KEY_SECRET"])
URL = os.environ["YD_API_URL"]


def build(name, saved, head, observability, *pools):
    more = {}
    if observability != "-":
        more = {"enable_observability": True, "observability_node_compute_requirement_template_id": observability,
                "observability_node_start_script": os.environ["OBSERVABILITY_SCRIPT"]}
    c = builder.RayDogCluster(*KEY, name, "raydog", head, os.environ["HEAD_SCRIPT"], yd_platform_api_url=URL, cluster_tag="team",
                              head_node_images_id="ami-1", head_node_instance_tags={"owner": "me"}, head_node_metrics_enabled=True,
                              cluster_lifetime=timedelta(hours=4), **more)
    for p in pools:
        pool, rest = p.split("=")
        template, count = rest.split(":")
        c.add_worker_pool(template, os.environ["WORKER_SCRIPT"], int(count), pool)
    print(*c.build(timedelta(seconds=120)))
    c.save_state_to_json_file(saved)


def shut_down(saved):
    proxy = builder.RayDogClusterProxy(*KEY, yd_platform_api_url=URL)
    proxy.load_saved_state_from_json_file(saved)
    proxy.shut_down()


{"build": build, "shut-down": shut_down}[sys.argv[1]](*sys.argv[2:])
