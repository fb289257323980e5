/* What `raytui init launcher` writes besides the configuration: Ray's YAML for a cloud, and a sample of its environment. */
#include "providers/launcher_yaml.h"

#include "base/mem.h"
#include "core/provider.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const rt_launcher_clouds[] = {"local", "gcp", "aws", "azure", NULL};

#define SIZE                                                                                                                                 \
    "# How many workers there may be, of all node types together; the head does not count.\n"                                                \
    "max_workers: 2\n"                                                                                                                       \
    "# A worker without work goes after so many minutes.\n"                                                                                  \
    "idle_timeout_minutes: 5\n"                                                                                                              \
    "# How fast it grows: new nodes at once, as a part of those that run.\n"                                                                 \
    "upscaling_speed: 1.0\n\n"

#define DOCKER                                                                                                                               \
    "# Ray and your program run in this container; `docker: {}` runs them on the machine itself (then install Ray in setup_commands).\n"     \
    "# Ray and Python should have the versions that you have here.\n"                                                                        \
    "docker:\n"                                                                                                                              \
    "  image: \"rayproject/ray:latest\"\n"                                                                                                   \
    "  container_name: ray_container\n"                                                                                                      \
    "  pull_before_run: true\n"                                                                                                              \
    "  run_options: [\"--ulimit nofile=65536:65536\"]\n\n"

#define MOUNTS                                                                                                                               \
    "# Files and directories to copy to all nodes: /path/there: ./path/here (seen from this file).\n"                                        \
    "file_mounts: {}\n\n"                                                                                                                    \
    "# Shell lines that set up every node, after the files are there.\n"                                                                     \
    "setup_commands: []   # or lines: - pip install -r requirements.txt\n\n"

#define START                                                                                                                                \
    "# The dashboard listens on the head itself only: raytui carries it here through SSH.\n"                                                 \
    "head_start_ray_commands:\n"                                                                                                             \
    "  - ray stop\n"                                                                                                                         \
    "  - ulimit -n 65536; ray start --head --port=6379 --object-manager-port=8076 --autoscaling-config=~/ray_bootstrap_config.yaml\n"        \
    "worker_start_ray_commands:\n"                                                                                                           \
    "  - ray stop\n"                                                                                                                         \
    "  - ulimit -n 65536; ray start --address=$RAY_HEAD_IP:6379 --object-manager-port=8076\n"

#define TYPES                                                                                                                                \
    "# Node types: what a machine of each kind has (resources), and what the cloud is asked for (node_config).\n"                            \
    "available_node_types:\n"

#define HEAD_TYPE                                                                                                                            \
    "\n# The head is one of this type; it is no worker as long as its max_workers is 0.\n"                                                     \
    "head_node_type: head\n\n"

static const char *const local[] = {
    "# Hosts that are there already: Ray starts itself on them over SSH. (Of a cloud: raytui init launcher NAME cloud=gcp, aws, azure)\n"
    "provider:\n"
    "  type: local\n"
    "  head_ip: 192.0.2.10               # yours: as the workers reach the head\n"
    "  # external_head_ip: 203.0.113.10  # as this machine reaches it, where that differs\n"
    "  worker_ips: [192.0.2.11, 192.0.2.12]  # yours\n\n"
    "auth:\n"
    "  ssh_user: ubuntu                  # yours: the same on all hosts, without a password\n"
    "  # ssh_private_key: ~/.ssh/id_ed25519  # copied to the head, which starts the workers with it\n"
    "  # Another port than 22: `Port` of that Host in ~/.ssh/config\n\n"
    "# Workers that always run, and how many there may be; both default to the number of worker_ips.\n"
    "min_workers: 0\n"
    "max_workers: 2\n"
    "# A worker without work ends its Ray after so many minutes.\n"
    "idle_timeout_minutes: 5\n"
    "upscaling_speed: 1.0\n\n",
    "# docker: {image: \"rayproject/ray:latest\", container_name: ray_container}\n\n",
    MOUNTS,
    "# `ray` must be on the PATH of `bash --login`, in the same version on all hosts.\n",
    START,
    NULL,
};

static const char *const gcp[] = {
    "# Google Cloud. Log in once: gcloud auth application-default login\n"
    "# Ray needs: pip install \"ray[default]\" google-api-python-client google-auth-httplib2 cryptography\n"
    "provider:\n"
    "  type: gcp\n"
    "  region: us-west1\n"
    "  availability_zone: us-west1-a\n"
    "  project_id: null   # yours: `gcloud config get project`\n\n"
    "auth:\n"
    "  ssh_user: ubuntu   # Ray makes a key pair of its own in ~/.ssh\n\n",
    SIZE,
    DOCKER,
    TYPES,
    "  head:\n"
    "    resources: {\"CPU\": 2}\n"
    "    max_workers: 0\n"
    "    node_config:\n"
    "      machineType: n1-standard-2\n"
    "      disks: &disks\n"
    "        - boot: true\n"
    "          autoDelete: true\n"
    "          type: PERSISTENT\n"
    "          initializeParams:\n"
    "            diskSizeGb: 50\n"
    "            sourceImage: projects/deeplearning-platform-release/global/images/family/common-cpu\n"
    "  cpu:\n"
    "    min_workers: 0\n"
    "    max_workers: 2\n"
    "    resources: {\"CPU\": 4}\n"
    "    node_config:\n"
    "      machineType: n1-standard-4\n"
    "      disks: *disks\n"
    "      # scheduling:   # cheaper, and may be taken away\n"
    "      #   - preemptible: true\n",
    HEAD_TYPE,
    MOUNTS,
    "# The head asks Google for machines.\n"
    "head_setup_commands:\n"
    "  - pip install google-api-python-client google-auth-httplib2 cryptography\n\n",
    START,
    NULL,
};

static const char *const aws[] = {
    "# Amazon EC2. Log in once: aws configure (or AWS_PROFILE in the .env)\n"
    "# Ray needs: pip install \"ray[default]\" boto3\n"
    "provider:\n"
    "  type: aws\n"
    "  region: us-west-2\n"
    "  availability_zone: us-west-2a,us-west-2b   # the first with machines to give\n"
    "  cache_stopped_nodes: false   # true: `down` only stops machines, their disks go on costing\n\n"
    "auth:\n"
    "  ssh_user: ubuntu   # Ray makes a key pair of its own in ~/.ssh\n"
    "  # With a key of yours each node_config wants its `KeyName:` too.\n"
    "  # ssh_private_key: ~/.ssh/mine.pem\n\n",
    SIZE,
    DOCKER,
    TYPES,
    "  head:\n"
    "    resources: {\"CPU\": 2}\n"
    "    max_workers: 0\n"
    "    node_config:\n"
    "      InstanceType: m5.large\n"
    "      BlockDeviceMappings:\n"
    "        - DeviceName: /dev/sda1\n"
    "          Ebs: {VolumeSize: 140, VolumeType: gp3}\n"
    "  cpu:\n"
    "    min_workers: 0\n"
    "    max_workers: 2\n"
    "    resources: {\"CPU\": 4}\n"
    "    node_config:\n"
    "      InstanceType: m5.xlarge\n"
    "      # InstanceMarketOptions: {MarketType: spot}   # cheaper, and may be taken away\n",
    HEAD_TYPE,
    MOUNTS,
    "# The head asks AWS for machines.\n"
    "head_setup_commands:\n"
    "  - pip install \"boto3>=1.4.8\"\n\n",
    START,
    NULL,
};

static const char *const azure[] = {
    "# Azure. Log in once: az login\n"
    "# Ray needs: pip install \"ray[default]\" azure-cli-core azure-common azure-core azure-identity azure-mgmt-compute \\\n"
    "#   azure-mgmt-network \"azure-mgmt-resource<25\"\n"
    "provider:\n"
    "  type: azure\n"
    "  location: westus2\n"
    "  resource_group: ray-cluster\n"
    "  # subscription_id: 00000000-0000-0000-0000-000000000000   # else that of `az account show`\n\n"
    "auth:\n"
    "  ssh_user: ubuntu   # Ray makes a key pair of its own; with keys of yours name both:\n"
    "  # ssh_private_key: ~/.ssh/id_rsa\n"
    "  # ssh_public_key: ~/.ssh/id_rsa.pub\n\n",
    SIZE,
    DOCKER,
    TYPES,
    "  head:\n"
    "    resources: {\"CPU\": 2}\n"
    "    max_workers: 0\n"
    "    node_config:\n"
    "      azure_arm_parameters:\n"
    "        vmSize: Standard_D2s_v3\n"
    "        imagePublisher: microsoft-dsvm\n"
    "        imageOffer: ubuntu-2204\n"
    "        imageSku: 2204-gen2\n"
    "        imageVersion: latest\n"
    "  cpu:\n"
    "    min_workers: 0\n"
    "    max_workers: 2\n"
    "    resources: {\"CPU\": 4}\n"
    "    node_config:\n"
    "      azure_arm_parameters:\n"
    "        vmSize: Standard_D4s_v3\n"
    "        imagePublisher: microsoft-dsvm\n"
    "        imageOffer: ubuntu-2204\n"
    "        imageSku: 2204-gen2\n"
    "        imageVersion: latest\n"
    "        # priority: Spot   # cheaper, and may be taken away\n",
    HEAD_TYPE,
    "initialization_commands:\n"
    "  - sudo usermod -aG docker $USER || true\n"
    "  - touch ~/.sudo_as_admin_successful\n\n",
    MOUNTS,
    "# The head asks Azure for machines.\n"
    "head_setup_commands:\n"
    "  - pip install azure-cli-core azure-common azure-core azure-identity azure-mgmt-compute azure-mgmt-network \"azure-mgmt-resource<25\"\n\n",
    START,
    NULL,
};

static const struct cloud {
    const char *name;
    const char *const *parts;
    const char *env; /* samples */
} clouds[] = {
    {"local", local, "# HTTPS_PROXY=http://proxy.example.com:3128\n"},
    {"gcp", gcp,
     "# GOOGLE_APPLICATION_CREDENTIALS=/home/me/service_account.json\n"
     "# CLOUDSDK_CONFIG=/home/me/.config/gcloud\n"},
    {"aws", aws,
     "# AWS_PROFILE=default\n"
     "# AWS_ACCESS_KEY_ID=\n"
     "# AWS_SECRET_ACCESS_KEY=\n"},
    {"azure", azure,
     "# AZURE_CONFIG_DIR=/home/me/.azure\n"
     "# AZURE_SUBSCRIPTION_ID=\n"},
};

bool rt_launcher_template(const char *cloud, const char *name, struct rt_buf *yaml, struct rt_buf *env, struct rt_error *err) {
    char *word = rt_strdup(name);
    const struct rt_ynode n = {.kind = RT_Y_SCALAR, .text = word};
    const bool is_text = launcher_kind(&n) == L_STR; /* `on` and `42` want quotes */
    free(word);
    for (size_t i = 0; i < RT_COUNT(clouds); i++) {
        if (!rt_streq(clouds[i].name, cloud))
            continue;
        rt_buf_addf(yaml, "# %s: a cluster of Ray's own launcher. `raytui check %s` reads this file, `raytui up %s` makes the cluster.\n", name, name, name);
        rt_buf_addf(yaml, is_text ? "cluster_name: %s\n\n" : "cluster_name: \"%s\"\n\n", name);
        for (const char *const *part = clouds[i].parts; *part; part++)
            rt_buf_adds(yaml, *part);
        rt_buf_addf(env, "# Variables for `ray up` of %s: KEY=VALUE, one a line. Values may be secret: keep this file to yourself.\n", name);
        rt_buf_adds(env, clouds[i].env);
        return true;
    }
    const char *near = rt_nearest(cloud, rt_launcher_clouds);
    rt_error_set(err, RT_E_USAGE, "cloud: no template for %s%s%s", cloud, near ? ", did you mean " : "", near ? near : "");
    return rt_error_hint(err, "there are local, gcp, aws, azure; with a YAML of your own: file=PATH");
}

/* ---- for `init` ---- */

const struct rt_yfield launcher_asks[] = {
    {.key = "cloud", .type = RT_Y_ENUM, .names = rt_launcher_clouds, .form = true,
     .help = "writes Ray's YAML for it beside: local (your hosts), gcp, aws, azure", .example = "gcp"},
    {.key = "file", .type = RT_Y_STR, .form = true, .help = "or a YAML of `ray up` that is there", .example = "~/cluster.yaml"},
    {0},
};

static const char *value(const struct rt_strs *set, const char *key) {
    for (size_t i = 0; i < set->n; i++) {
        const char *at = strchr(set->v[i], '=');
        if (at && strlen(key) == (size_t)(at - set->v[i]) && rt_starts(set->v[i], key))
            return at + 1;
    }
    return NULL;
}

/* A path that was given counts from where it was given, not from the configuration. */
static void from_here(struct rt_strs *set, const char *key) {
    char here[4096];
    for (size_t i = 0; i < set->n; i++) {
        const char *path = strchr(set->v[i], '=');
        if (!path || !rt_starts(set->v[i], key) || strlen(key) != (size_t)(path - set->v[i]) || strchr("/~", path[1]) || !getcwd(here, sizeof here))
            continue;
        char *line = rt_strf("%s=%s/%s", key, here, path + 1);
        free(set->v[i]);
        set->v[i] = line;
    }
}

static void add_file(const char *cluster, const char *key, const char *base, const struct rt_buf *text, struct rt_strs *set, struct rt_init_files *out) {
    char *name = rt_strf("%s/%s", cluster, base);
    rt_buf_add(rt_init_file(out, name), rt_buf_str(text), text->len);
    rt_strs_addf(set, "%s=%s", key, name);
    free(name);
}

bool launcher_init(const char *name, struct rt_strs *set, struct rt_init_files *out, struct rt_error *err) {
    const char *cloud = value(set, "cloud");
    from_here(set, "file");
    from_here(set, "env_file");
    if (value(set, "file")) {
        if (!cloud)
            return true;
        rt_error_set(err, RT_E_USAGE, "file and cloud: one of the two");
        return rt_error_hint(err, "`cloud` writes a new YAML, `file` names one that is there");
    }
    struct rt_buf yaml, env;
    rt_buf_init(&yaml, RT_MIB);
    rt_buf_init(&env, RT_MIB);
    const bool ok = rt_launcher_template(cloud ? cloud : rt_launcher_clouds[0], name, &yaml, &env, err);
    if (ok)
        add_file(name, "file", "cluster.yaml", &yaml, set, out);
    if (ok && !value(set, "env_file"))
        add_file(name, "env_file", ".env", &env, set, out);
    rt_buf_deinit(&yaml);
    rt_buf_deinit(&env);
    return ok;
}
