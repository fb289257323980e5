/* Whatever is done to a log in whatever order: it stays what a list of strings would be. */
#include "loghelp.h"

/* ---- the model ---- */

struct entry {
    char *text;
    size_t len, cap;
    bool mark, open;
};

struct model {
    RT_VEC(struct entry) v;
    size_t open; /* the unfinished line, or SIZE_MAX */
    struct {
        const char *word;
        bool drop;
    } filters[4];
    size_t n_filters;
    bool off;
};

static void model_deinit(struct model *m) {
    for (size_t i = 0; i < m->v.n; i++)
        free(m->v.v[i].text);
    rt_vec_deinit(&m->v);
}

static void model_add(struct model *m, const char *data, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (m->open == SIZE_MAX) {
            rt_vec_push(&m->v);
            m->open = m->v.n - 1;
        }
        struct entry *e = &m->v.v[m->open];
        if (data[i] == '\n') {
            m->open = SIZE_MAX;
            continue;
        }
        if (e->len == e->cap) {
            e->cap = e->cap * 2 + 16;
            e->text = rt_realloc(e->text, e->cap);
        }
        e->text[e->len++] = data[i];
    }
}

static void model_mark(struct model *m, const char *text) {
    struct entry *e = rt_vec_push(&m->v);
    e->text = rt_strdup(text);
    e->len = strlen(text);
    e->mark = true;
}

static bool has_word(const struct entry *e, const char *word) {
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= e->len; i++)
        if (memcmp(e->text + i, word, n) == 0)
            return true;
    return false;
}

static bool passes(const struct model *m, const struct entry *e) {
    for (size_t i = 0; i < m->n_filters && !e->mark && !m->off; i++)
        if (has_word(e, m->filters[i].word) == m->filters[i].drop)
            return false;
    return true;
}

/* ---- steps ---- */

struct world {
    struct bench *t;
    struct model m;
    int step;
};

/* Words with a capital: a pattern of them minds the case. */
static const char *const words[] = {"Alpha", "Beta", "Gamma", "DELTA", "Epsilon"};

static const char *a_word(void) {
    return words[(size_t)rand() % RT_COUNT(words)];
}

static void step_append(struct world *w) {
    char text[8192];
    size_t n = 0, want = (size_t)rand() % (rand() % 3 ? 200 : sizeof text - 32);
    while (n < want) {
        n += (size_t)snprintf(text + n, sizeof text - n, "%s ", a_word());
        if (rand() % 6 == 0)
            text[n++] = '\n';
    }
    int times = rand() % 20 == 0 ? 40 : 1;
    while (times-- > 0) {
        rt_logbuf_append(w->t->b, text, n);
        model_add(&w->m, text, n);
    }
}

static void step_long_line(struct world *w) {
    char text[4096];
    memset(text, 'z', sizeof text);
    for (int i = rand() % 60; i > 0; i--) {
        rt_logbuf_append(w->t->b, text, sizeof text);
        model_add(&w->m, text, sizeof text);
    }
}

static void step_mark(struct world *w) {
    if (rand() % 3 == 0) {
        rt_logbuf_restart(w->t->b, "--- Alpha restart ---");
        w->m.open = SIZE_MAX;
        model_mark(&w->m, "--- Alpha restart ---");
    } else {
        rt_logbuf_mark(w->t->b, "--- mark ---");
        model_mark(&w->m, "--- mark ---");
    }
}

static void step_filter(struct world *w) {
    struct rt_error err;
    struct model *m = &w->m;
    if (m->n_filters > 0 && rand() % 2) {
        rt_logbuf_filter_pop(w->t->b);
        m->n_filters--;
    } else if (m->n_filters > 0 && rand() % 3 == 0) {
        m->off = !m->off;
        rt_logbuf_filters_enable(w->t->b, !m->off);
    } else if (m->n_filters < RT_COUNT(m->filters)) {
        m->filters[m->n_filters].word = a_word();
        m->filters[m->n_filters].drop = rand() % 2;
        assert_true(rt_logbuf_filter_add(w->t->b, m->filters[m->n_filters].word, m->filters[m->n_filters].drop, &err));
        m->n_filters++;
        m->off = false;
    }
}

static void step_turns(struct world *w) {
    for (int i = rand() % 4; i >= 0; i--)
        rt_loop_turn(w->t->loop, false);
}

static void check_lines(struct world *w) {
    struct model *m = &w->m;
    struct rt_logbuf *b = w->t->b;
    bool exact;
    assert_int_equal(rt_logbuf_lines(b, &exact), m->v.n);
    assert_true(exact);
    for (int i = 0; i < 20 && m->v.n > 0; i++) {
        size_t k = rand() % 3 ? (size_t)rand() % m->v.n : m->v.n - 1 - (size_t)rand() % RT_MIN(m->v.n, (size_t)50);
        struct rt_line line;
        assert_true(rt_logbuf_line(b, (int64_t)k, &line));
        assert_int_equal(line.len, m->v.v[k].len);
        assert_memory_equal(line.text, m->v.v[k].text ? m->v.v[k].text : "", line.len);
        assert_int_equal(line.kind == RT_LINE_MARK, m->v.v[k].mark);
    }
}

static void check_seen(struct world *w) {
    struct model *m = &w->m;
    struct rt_logbuf *b = w->t->b;
    bench_settle(w->t);
    int64_t seen = 0;
    for (size_t k = 0; k < m->v.n; k++) {
        assert_int_equal(rt_logbuf_visible_index(b, (int64_t)k), seen);
        if (passes(m, &m->v.v[k])) {
            assert_int_equal(rt_logbuf_visible_at(b, seen), k);
            seen++;
        }
    }
    assert_int_equal(rt_logbuf_visible(b, NULL), seen);
}

struct found {
    bool done;
    int64_t line;
};

static void found(void *ctx, int64_t line, bool wrapped, const struct rt_error *err) {
    struct found *f = ctx;
    (void)wrapped;
    assert_null(err);
    f->done = true;
    f->line = line;
}

static void check_search(struct world *w) {
    struct model *m = &w->m;
    if (m->v.n == 0)
        return;
    struct found f = {0};
    const char *word = a_word();
    int64_t n = (int64_t)m->v.n, from = rand() % n, want = -1;
    bool backwards = rand() % 2;
    struct rt_op *op = rt_logbuf_search(w->t->b, word, from, backwards, found, &f);
    if (rand() % 4 == 0) {
        for (int i = rand() % 3; i > 0 && !f.done; i--)
            rt_loop_turn(w->t->loop, false);
        if (!f.done) {
            rt_op_cancel(op);
            return;
        }
    }
    while (!f.done)
        rt_loop_turn(w->t->loop, true);
    for (int64_t i = 0; i < n && want < 0; i++) {
        int64_t k = ((backwards ? from - i : from + i) % n + n) % n;
        const struct entry *e = &m->v.v[k];
        if (!e->mark && passes(m, e) && has_word(e, word))
            want = k;
    }
    assert_int_equal(f.line, want);
}

static void play(struct bench *t, unsigned seed) {
    struct world w = {.t = t, .m = {.open = SIZE_MAX}};
    srand(seed);
    bench_appended(t);
    rt_logbuf_limit(t->b, (size_t)(1 + rand() % 4) * 64 * RT_KIB, 0);
    for (w.step = 0; w.step < 1500; w.step++) {
        int what = rand() % 100;
        if (what < 60)
            step_append(&w);
        else if (what < 62)
            step_long_line(&w);
        else if (what < 67)
            step_mark(&w);
        else if (what < 71)
            step_filter(&w);
        else if (what < 85)
            step_turns(&w);
        else if (what < 94)
            check_lines(&w);
        else if (what < 96)
            check_seen(&w);
        else
            check_search(&w);
    }
    check_seen(&w);
    model_deinit(&w.m);
}

static void a_log_is_a_list_of_lines(void **state) {
    for (unsigned seed = 1; seed <= 3; seed++)
        play(*state, seed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_up, bench_down)

int main(int argc, char **argv) {
    if (argc > 1) { /* more rounds: from seed to seed */
        void *state;
        bench_up(&state);
        for (unsigned seed = (unsigned)atoi(argv[1]); argc > 2 && seed < (unsigned)atoi(argv[2]); seed++) {
            printf("%u\n", seed);
            play(state, seed);
        }
        return bench_down(&state);
    }
    const struct CMUnitTest tests[] = {
        TEST(a_log_is_a_list_of_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
