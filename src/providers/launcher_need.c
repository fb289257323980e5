/* What a provider type of Ray wants to be there: the modules that its code imports, and how one logs in. */
#include "providers/launcher_file.h"

#include <stddef.h>

static const struct rt_launcher_need needs[] = {
    {"local", "", NULL, NULL},
    {"aws", "boto3 botocore", "pip install boto3", "aws configure"},
    {"gcp", "googleapiclient google.oauth2 google_auth_httplib2 httplib2 cryptography",
     "pip install google-api-python-client google-auth-httplib2 cryptography", "gcloud auth application-default login"},
    {"azure", "azure.common azure.core azure.identity azure.mgmt.compute azure.mgmt.network azure.mgmt.resource",
     "pip install azure-common azure-core azure-identity azure-mgmt-compute azure-mgmt-network \"azure-mgmt-resource<25\" azure-cli-core", "az login"},
    {"vsphere", "kubernetes cryptography", "pip install kubernetes cryptography", NULL},
    {"aliyun", "aliyunsdkcore aliyunsdkecs", "pip install aliyun-python-sdk-core aliyun-python-sdk-ecs", NULL},
    {"spark", "pyspark requests", "pip install pyspark requests", NULL},
    {"external", "", NULL, NULL},
    {"kuberay", "requests", "pip install requests", NULL},
    {"readonly", "", NULL, NULL},
    {"fake_multinode", "", NULL, NULL},
    {"fake_multinode_docker", "", NULL, NULL},
};

const struct rt_launcher_need *rt_launcher_need(const char *type) {
    for (size_t i = 0; i < RT_COUNT(needs); i++)
        if (rt_streq(needs[i].type, type))
            return &needs[i];
    return NULL;
}
