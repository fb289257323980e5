/* An answer as text and as JSON. */
#include "core/cells.h"
#include "core/why_impl.h"

static const char *word_of(enum rt_topic t) {
    return t == RT_T_DEMAND ? "autoscaler" : rt_topic_name(t);
}

static void pad(struct rt_buf *out, const char *text, int width, bool last) {
    const int gap = width - rt_width(text, strlen(text));
    rt_buf_adds(out, text);
    if (!last)
        rt_buf_addf(out, "%*s", RT_MAX(gap, 0) + 3, "");
}

static void print_pools(struct rt_buf *out, const struct rt_why *w) {
    const char *const titles[] = {"pool", "node type", "free now", "could it ever?"};
    int width[RT_COUNT(titles)];
    for (size_t k = 0; k < RT_COUNT(titles); k++)
        width[k] = rt_width(titles[k], strlen(titles[k]));
    for (size_t i = 0; i < w->npools; i++) {
        const struct rt_why_pool *p = &w->pools[i];
        const char *const cells[] = {p->name, p->type, p->free, p->ever};
        for (size_t k = 0; k < RT_COUNT(titles); k++)
            width[k] = RT_MAX(width[k], rt_width(cells[k], strlen(cells[k])));
    }
    for (size_t k = 0; k < RT_COUNT(titles); k++)
        pad(out, titles[k], width[k], k + 1 == RT_COUNT(titles));
    rt_buf_addc(out, '\n');
    for (size_t i = 0; i < w->npools; i++) {
        const struct rt_why_pool *p = &w->pools[i];
        const char *const cells[] = {p->name, p->type, p->free, p->ever};
        for (size_t k = 0; k < RT_COUNT(titles); k++)
            pad(out, cells[k], width[k], k + 1 == RT_COUNT(titles));
        rt_buf_addc(out, '\n');
    }
    rt_buf_addc(out, '\n');
}

/* "nodes 3s ago" */
static const char *source(char *out, size_t size, const struct rt_why_line *l, int64_t now_ms) {
    char age[32];
    if (l->at_ms > 0)
        snprintf(out, size, "%s %s ago", word_of(l->from),
                 rt_fmt_age(age, sizeof(age), RT_MAX(now_ms - l->at_ms, (int64_t)0)));
    else
        snprintf(out, size, "%s", word_of(l->from));
    return out;
}

void rt_why_text(struct rt_buf *out, const struct rt_why *w, int64_t now_ms) {
    char from[64];
    int widest = 0;
    rt_buf_addf(out, "%s\n\n", w->summary ? w->summary : "");
    if (w->npools)
        print_pools(out, w);
    for (size_t i = 0; i < w->nlines; i++) {
        source(from, sizeof(from), &w->lines[i], now_ms);
        widest = RT_MAX(widest, rt_width(from, strlen(from)));
    }
    for (size_t i = 0; i < w->nlines; i++) {
        pad(out, source(from, sizeof(from), &w->lines[i], now_ms), widest, false);
        rt_buf_addf(out, "%s\n", w->lines[i].text);
    }
}

/* ---- JSON ---- */

static json_t *pools_json(const struct rt_why *w) {
    json_t *all = json_array();
    for (size_t i = 0; i < w->npools; i++) {
        const struct rt_why_pool *p = &w->pools[i];
        json_t *o = json_object();
        rt_put_text(o, "pool", p->name);
        rt_put_text(o, "node_type", rt_streq(p->type, "-") ? NULL : p->type);
        rt_put_text(o, "free", p->free);
        rt_put_text(o, "ever", p->ever);
        json_array_append_new(all, o);
    }
    return all;
}

json_t *rt_why_json(const struct rt_why *w) {
    json_t *o = json_object(), *lines = json_array();
    rt_put_text(o, "kind", rt_why_kind_name(w->kind));
    rt_put_text(o, "id", w->id);
    rt_put_text(o, "question", w->title);
    rt_put_text(o, "summary", w->summary);
    rt_put_text(o, "brief", *w->brief ? w->brief : NULL);
    json_object_set_new(o, "pools", pools_json(w));
    for (size_t i = 0; i < w->nlines; i++) {
        json_t *l = json_object();
        rt_put_text(l, "text", w->lines[i].text);
        rt_put_text(l, "from", word_of(w->lines[i].from));
        rt_put_time(l, "at_ms", w->lines[i].at_ms);
        json_array_append_new(lines, l);
    }
    json_object_set_new(o, "reasons", lines);
    return o;
}
