/* The configuration of Ray on machines reached by SSH. */
#include "base/fs.h"
#include "providers/far.h"
#include <stdlib.h>
#include <string.h>

const char *const far_dashboard_hosts[] = {"loopback", "node", NULL};

#define F(member) .off = offsetof(struct far_conf, member)

const struct rt_yfield far_python_fields[] = {
    {.key = "venv", .form = true, F(python.venv), .type = RT_Y_STR, .alias = {"ray_venv"},
     .help = "virtual environment on the hosts that has Ray, or where it is made", .example = "~/ray"},
    {.key = "conda", F(python.conda), .type = RT_Y_STR, .alias = {"conda_env"},
     .help = "conda environment that has Ray", .example = "ray"},
    {.key = "activate", .form = true, F(python.activate), .type = RT_Y_STRS,
     .help = "shell lines before ray, run by a login bash", .example = "module load python/3.11"},
    {.key = "ray", F(python.ray), .type = RT_Y_STR, .alias = {"version"},
     .help = "version of Ray that must be there, or is installed", .example = FAR_RAY_VERSION},
    {.key = "requirements", F(python.requirements), .type = RT_Y_STR,
     .help = "requirements.txt of this machine that is installed on the hosts", .example = "~/requirements.txt"},
    {.key = "index", F(python.index), .type = RT_Y_STR,
     .help = "package index from which pip installs on the hosts (default: as pip is configured there)",
     .example = "https://packages.example.org/simple"},
    {0},
};

const char *far_version(const struct far_conf *far) {
    return far->python.ray ? far->python.ray : far->ray_version;
}

bool far_login_shell(const struct far_conf *far) {
    return far->python.activate.n > 0 || far->python.conda;
}

bool far_host_ok(const char *s) {
    return s && *s && *s != '-' && !s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-:@%[]")];
}

bool far_conf_check(const struct far_conf *far, const struct rt_cluster_conf *conf, rt_yproblem_fn *problem, void *ctx) {
    const char *const texts[] = {far->python.venv, far->python.conda, far->python.ray, far->python.index, far->ray_version, far->temp_dir, far->container,
                                 far->size.accelerator_type};
    static const char *const names[] = {"python.venv", "python.conda", "python.ray", "python.index", "ray_version", "temp_dir", "container",
                                        "accelerator_type"};
    struct rt_strs words = {0};
    struct rt_error err = {0};
    bool ok = true;
    for (size_t i = 0; i < RT_COUNT(texts); i++)
        if (!conf_text_ok(texts[i]))
            ok = pools_problem(conf->node, problem, ctx, rt_strf("%s: control characters cannot stand there", names[i]));
    if (far->python.index && strchr(far->python.index, '@'))
        ok = pools_problem(conf->node, problem, ctx, rt_strf("python.index: a password does not belong here: pip.conf or .netrc of the hosts holds it"));
    if (far->container && (!rt_split_words(far->container, &words, &err) || !words.n))
        ok = pools_problem(conf->node, problem, ctx, rt_strf("container: a command line is wanted: apptainer exec ray.sif"));
    rt_strs_deinit(&words);
    return ok;
}

bool far_requirements(const struct far_conf *far, char **out, struct rt_error *err) {
    *out = NULL;
    if (!far->python.requirements)
        return true;
    char *path = rt_path_expand(far->python.requirements);
    struct rt_buf b;
    rt_buf_init(&b, RT_MIB);
    const bool ok = rt_file_read(path, RT_MIB, &b, err);
    if (ok)
        *out = rt_buf_take(&b);
    else
        rt_error_wrap(err, "python.requirements");
    rt_buf_deinit(&b);
    free(path);
    return ok;
}
