/* A far machine for scripts: real shells in a HOME of their own on this machine, with a stand-in for the program `ray`. */
#ifndef RT_TESTS_PROVIDERS_FAR_BED_H
#define RT_TESTS_PROVIDERS_FAR_BED_H

#include "unit/cmocka_all.h"
#include "base/fs.h"
#include "core/config.h"
#include "providers/ssh.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A head answers as a dashboard does; whoever runs it finds its words in HOME/argv-NODE. */
static const char fake_ray[] =
    "#!/usr/bin/env python3\n"
    "import http.server, json, os, sys, time\n"
    "if sys.argv[1:] == ['--version']:\n"
    "    print('ray, version 9.9.9')\n"
    "    sys.exit()\n"
    "opts = dict(a[2:].split('=', 1) for a in sys.argv[1:] if '=' in a)\n"
    "if opts.get('num-cpus') == '13':\n"
    "    sys.exit('no luck today')\n"
    "with open(os.environ['HOME'] + '/argv-' + opts['node-name'], 'w') as f:\n"
    "    json.dump(sys.argv, f)\n"
    "print('Ray runtime started.', flush=True)\n"
    "if '--head' not in sys.argv:\n"
    "    time.sleep(600)\n"
    "jobs = []\n"
    "class Handler(http.server.BaseHTTPRequestHandler):\n"
    "    def answer(self, v):\n"
    "        self.send_response(200)\n"
    "        self.end_headers()\n"
    "        self.wfile.write(json.dumps(v).encode())\n"
    "    def do_GET(self):\n"
    "        if self.path.endswith('/logs'):\n"
    "            self.answer({'logs': 'its last words'})\n"
    "        elif self.path.startswith('/api/jobs/'):\n"
    "            self.answer(jobs if self.path == '/api/jobs/' else jobs[-1])\n"
    "        elif self.path.startswith('/api/v0/'):\n"
    "            self.answer({'data': {'result': {'num_filtered': 0}}})\n"
    "        else:\n"
    "            self.answer({})\n"
    "    def do_POST(self):\n"
    "        job = json.loads(self.rfile.read(int(self.headers['Content-Length'])))\n"
    "        jobs.append({'status': 'SUCCEEDED', 'submission_id': job['submission_id'], 'end_time': 1})\n"
    "        with open(os.environ['HOME'] + '/posted', 'a') as f:\n"
    "            f.write(json.dumps(job) + '\\n')\n"
    "        self.answer({})\n"
    "    def log_message(self, *words):\n"
    "        pass\n"
    "http.server.HTTPServer(('127.0.0.1', int(opts['dashboard-port'])), Handler).serve_forever()\n";

struct bed {
    char home[160], mark[32];
    char *out; /* of the last script, both streams */
    int status;
    struct ssh_config own;
    struct far_place place;
    struct ssh_script script;
};

#define HOSTILE "it's \"$(touch pwned)\" `touch pwned` \\ * ;&|"

static inline void bed_path(const struct bed *b, const char *sub, char out[300]) {
    snprintf(out, 300, "%s/%s", b->home, sub);
}

static inline void write_file(const struct bed *b, const char *sub, const char *text, mode_t mode) {
    char path[300];
    struct rt_error err = {0};
    bed_path(b, sub, path);
    assert_true(rt_file_write(path, text, strlen(text), &err));
    assert_int_equal(chmod(path, mode), 0);
}

static inline char *read_file(const struct bed *b, const char *sub) {
    char path[300];
    struct rt_error err = {0};
    struct rt_buf text;
    bed_path(b, sub, path);
    rt_buf_init(&text, RT_MIB);
    if (!rt_file_read(path, RT_MIB, &text, &err))
        rt_buf_clear(&text);
    return rt_buf_take(&text);
}

static inline bool exists(const struct bed *b, const char *sub) {
    char path[300];
    bed_path(b, sub, path);
    return rt_file_exists(path) || rt_dir_exists(path);
}

/* As the far end of a session does: the script comes on stdin. */
static inline void run_by(struct bed *b, const char *shell, void (*make)(const struct ssh_script *s, struct rt_buf *out)) {
    struct rt_buf text, out;
    char line[400], chunk[4096];
    size_t n;
    rt_buf_init(&text, 4 * RT_MIB);
    rt_buf_init(&out, RT_MIB);
    make(&b->script, &text);
    write_file(b, "script", rt_buf_str(&text), 0600);
    rt_buf_deinit(&text);
    snprintf(line, sizeof line, "cd \"$HOME\" && exec %s -s <\"$HOME/script\" 2>&1", shell);
    FILE *f = popen(line, "r");
    assert_non_null(f);
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
        rt_buf_add(&out, chunk, n);
    const int status = pclose(f);
    b->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    free(b->out);
    b->out = rt_buf_take(&out);
}

static inline void run(struct bed *b, void (*make)(const struct ssh_script *s, struct rt_buf *out)) {
    run_by(b, "sh", make);
    if (b->status != 0)
        fail_msg("exit %d: %s", b->status, b->out);
}

static inline void look(const struct ssh_script *s, struct rt_buf *out) {
    ssh_script_look(s->cluster, out);
}

static inline void book(const struct ssh_script *s, struct rt_buf *out) {
    ssh_script_book(s->cluster, "cpu-1", "me@[fe80::1]:2222", out);
}

static inline void unbook(const struct ssh_script *s, struct rt_buf *out) {
    ssh_script_book(s->cluster, "cpu-1", NULL, out);
}

static inline void bed_make(struct bed *b, const char *name) {
    char dir[] = "/tmp/rt-ssh-XXXXXX";
    struct rt_error err = {0};
    *b = (struct bed){0};
    assert_non_null(mkdtemp(dir));
    snprintf(b->home, sizeof b->home, "%s/%s", dir, name);
    assert_true(rt_mkdirs(b->home, &err));
    setenv("HOME", b->home, 1);
    unsetenv("SSH_CONNECTION");
    write_file(b, "venv/bin/ray", fake_ray, 0755);
    rt_strs_deinit(&b->own.far.size.resources);
    b->own.head = rt_strdup("lab1");
    b->own.far.ray_version = rt_strdup("9.9.9");
    b->own.far.python.venv = rt_strdup("~/venv");
    snprintf(b->mark, sizeof b->mark, "t%ld", (long)getpid()); /* whoever carries it is ended */
    /* Of this process: programs that run at once do not meet. */
    b->own.far.dashboard_port = 20000 + getpid() % 100 * 120;
    b->own.far.client_port = b->own.far.dashboard_port + 40;
    b->own.far.gcs_port = b->own.far.dashboard_port + 80;
    b->script = (struct ssh_script){.cluster = "lab", .own = &b->own, .node = "head", .place = &b->place, .mark = b->mark,
                                    .ray = NULL, .python = "python3"};
}

static inline void bed_end(struct bed *b) {
    struct rt_error err = {0};
    b->script.node = "head";
    b->script.pool = NULL;
    run(b, ssh_script_stop);
    free(b->out);
    rt_yaml_free(ssh_fields, &b->own);
    *strrchr(b->home, '/') = 0;
    assert_true(rt_remove_tree(b->home, &err));
}

/* What the line "KEY VALUE" of the last output says; gives it. */
static inline char *told(const struct bed *b, const char *key) {
    const size_t n = strlen(key);
    for (const char *line = b->out; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (strncmp(line, key, n) == 0 && line[n] == ' ')
            return rt_strndup(line + n + 1, strcspn(line + n + 1, "\n"));
    fail_msg("no %s in: %s", key, b->out);
    return NULL;
}

/* prepare, then start with what it told. */
static inline void start(struct bed *b) {
    run(b, ssh_script_prepare);
    char *ray = told(b, "ray"), *python = told(b, "python");
    b->script.ray = ray;
    b->script.python = python;
    run(b, ssh_script_start);
    b->script.ray = NULL;
    b->script.python = "python3";
    free(ray);
    free(python);
}

static inline long pid_of(const struct bed *b, const char *cluster, const char *node) {
    char *file = rt_strf(".raytui/%s/%s.pid", cluster, node), *text = read_file(b, file);
    const long pid = strtol(text, NULL, 10);
    free(text);
    free(file);
    return pid;
}

#endif
