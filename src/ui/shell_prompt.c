/* The line at the bottom where commands, filters and searches are typed. */
#include "ui/shell.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"
#include <stdlib.h>

#define PAST_MAX 500

/* What is filtered or searched: what lies in front. */
static struct rt_view *found_in(struct rt_ui *ui) {
    struct rt_view *popup = shell_popup(ui);
    return popup ? popup : shell_focused(ui);
}

static void find_live(struct rt_ui *ui, const char *text) {
    struct rt_view *v = found_in(ui);
    struct rt_strs words = {0};
    struct rt_error err = {0};
    rt_strs_add(&words, v->ops->filter ? "filter" : "search");
    rt_strs_add(&words, text);
    if (v->ops->command && v->ops->command(v, &words, &err) == RT_TAKEN_FAILED)
        rt_ui_error(ui, &err);
    rt_strs_deinit(&words);
}

void prompt_open(struct rt_ui *ui, enum prompt_mode mode, const char *text) {
    struct rt_view *v = found_in(ui);
    ui->prompt = mode;
    ui->past_at = ui->past.n;
    ui->choice_at = SIZE_MAX;
    rt_strs_deinit(&ui->choices);
    rt_input_set(&ui->input, text);
    free(ui->find_before);
    ui->find_before = mode == PROMPT_FIND && v->ops->filter ? rt_strdup(v->ops->filter(v)) : NULL;
    if (ui->find_before)
        rt_input_set(&ui->input, ui->find_before);
    rt_ui_mark(ui);
}

void prompt_close(struct rt_ui *ui, bool keep) {
    const enum prompt_mode mode = ui->prompt;
    char *line = rt_strdup(rt_input_text(&ui->input));
    ui->prompt = PROMPT_NONE;
    rt_strs_deinit(&ui->choices);
    if (mode == PROMPT_FIND && !keep)
        find_live(ui, "");
    else if (mode == PROMPT_FIND && !found_in(ui)->ops->filter)
        find_live(ui, line); /* a text jumps when the word is whole */
    if (mode == PROMPT_COMMAND && keep && *line) {
        if (!ui->past.n || !rt_streq(ui->past.v[ui->past.n - 1], line))
            rt_strs_add(&ui->past, line);
        rt_ui_command(ui, line);
    }
    free(line);
    rt_ui_mark(ui);
}

/* ---- completion ---- */

static void gather_choices(struct rt_ui *ui) {
    const char *line = rt_input_text(&ui->input);
    rt_strs_deinit(&ui->choices);
    ui->choice_start = 0;
    rt_complete(ui, line, ui->input.at, &ui->choices, &ui->choice_start);
}

static void take_choice(struct rt_ui *ui) {
    struct rt_buf line;
    rt_buf_init(&line, 0);
    rt_buf_add(&line, rt_input_text(&ui->input), ui->choice_start);
    rt_buf_adds(&line, ui->choices.v[ui->choice_at]);
    rt_input_set(&ui->input, rt_buf_str(&line));
    rt_buf_deinit(&line);
}

static void complete(struct rt_ui *ui, int step) {
    if (ui->choice_at == SIZE_MAX)
        gather_choices(ui);
    if (!ui->choices.n)
        return;
    if (ui->choices.n == 1) {
        ui->choice_at = 0;
        take_choice(ui);
        rt_input_paste(&ui->input, " ", 1);
        ui->choice_at = SIZE_MAX;
        rt_strs_deinit(&ui->choices);
        return;
    }
    const size_t n = ui->choices.n;
    ui->choice_at = ui->choice_at == SIZE_MAX ? (step > 0 ? 0 : n - 1) : (ui->choice_at + n + (size_t)(step + (int)n)) % n;
    take_choice(ui);
}

static void from_past(struct rt_ui *ui, int step) {
    if (step < 0 && ui->past_at > 0)
        rt_input_set(&ui->input, ui->past.v[--ui->past_at]);
    else if (step > 0 && ui->past_at < ui->past.n)
        rt_input_set(&ui->input, ++ui->past_at < ui->past.n ? ui->past.v[ui->past_at] : "");
}

static bool is_key(struct rt_key k, int32_t code, uint32_t mods) {
    return k.code == code && k.mods == mods;
}

bool prompt_key(struct rt_ui *ui, struct rt_key k) {
    const bool command = ui->prompt == PROMPT_COMMAND;
    if (is_key(k, RT_K_ESC, 0) || is_key(k, 'c', RT_MOD_CTRL)) {
        prompt_close(ui, false);
    } else if (is_key(k, RT_K_ENTER, 0)) {
        prompt_close(ui, true);
    } else if (is_key(k, RT_K_BACKSPACE, 0) && !*rt_input_text(&ui->input)) {
        prompt_close(ui, false);
    } else if (command && k.code == RT_K_TAB) {
        complete(ui, k.mods & RT_MOD_SHIFT ? -1 : 1);
    } else if (command && (is_key(k, RT_K_UP, 0) || is_key(k, 'p', RT_MOD_CTRL))) {
        from_past(ui, -1);
    } else if (command && (is_key(k, RT_K_DOWN, 0) || is_key(k, 'n', RT_MOD_CTRL))) {
        from_past(ui, 1);
    } else if (rt_input_key(&ui->input, k)) {
        ui->choice_at = SIZE_MAX;
        rt_strs_deinit(&ui->choices);
        if (!command && found_in(ui)->ops->filter)
            find_live(ui, rt_input_text(&ui->input));
    }
    rt_ui_mark(ui);
    return true;
}

/* ---- lines of before ---- */

void prompt_load(struct rt_ui *ui) {
    char *path = rt_path(RT_DIR_STATE, "history");
    struct rt_buf text;
    struct rt_error err = {0};
    rt_buf_init(&text, 0);
    if (rt_file_read(path, RT_MIB, &text, &err))
        for (const char *s = rt_buf_str(&text); *s;) {
            const size_t n = strcspn(s, "\n");
            if (n)
                rt_strs_take(&ui->past, rt_strndup(s, n));
            s += n + (s[n] == '\n');
        }
    rt_buf_deinit(&text);
    free(path);
}

void prompt_save(struct rt_ui *ui) {
    char *path = rt_path(RT_DIR_STATE, "history");
    struct rt_buf text;
    struct rt_error err = {0};
    rt_buf_init(&text, RT_MIB);
    for (size_t i = ui->past.n > PAST_MAX ? ui->past.n - PAST_MAX : 0; i < ui->past.n; i++)
        rt_buf_addf(&text, "%s\n", ui->past.v[i]);
    if (text.len && !rt_file_write(path, rt_buf_str(&text), text.len, &err))
        rt_log(RT_LOG_WARN, "the history was not saved: %s", err.message);
    rt_buf_deinit(&text);
    free(path);
}
