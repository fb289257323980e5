/* Keys: codes, their names in help and configuration, and the bytes that terminals send for them. Pure. */
#ifndef RT_UI_KEY_H
#define RT_UI_KEY_H

#include "base/buf.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RT_K_NONE = 0,
    RT_K_ENTER = 0x200000, RT_K_ESC, RT_K_TAB, RT_K_BACKSPACE, RT_K_DELETE, RT_K_INSERT,
    RT_K_UP, RT_K_DOWN, RT_K_LEFT, RT_K_RIGHT, RT_K_HOME, RT_K_END, RT_K_PGUP, RT_K_PGDN,
    RT_K_F1, RT_K_F2, RT_K_F3, RT_K_F4, RT_K_F5, RT_K_F6, RT_K_F7, RT_K_F8, RT_K_F9, RT_K_F10, RT_K_F11, RT_K_F12
};
enum { RT_MOD_SHIFT = 1, RT_MOD_ALT = 2, RT_MOD_CTRL = 4 };

/* A letter is its code point (capitals as such, without SHIFT); ^K is 'k' with CTRL. */
struct rt_key {
    int32_t code;
    uint32_t mods;
};

bool rt_key_equal(struct rt_key a, struct rt_key b);
/* "j", "^K", "Enter", "S-Tab", "M-x", "F5", "Space", "PgDn"; `out` of at least 24 bytes. Gives out. */
char *rt_key_name(char *out, size_t size, struct rt_key k);
bool rt_key_parse(const char *name, struct rt_key *out);

enum rt_event_type { RT_EV_KEY, RT_EV_PASTE, RT_EV_MOUSE, RT_EV_REPORT };
enum rt_mouse { RT_MOUSE_PRESS, RT_MOUSE_RELEASE, RT_MOUSE_DRAG, RT_MOUSE_WHEEL_UP, RT_MOUSE_WHEEL_DOWN };

struct rt_event {
    enum rt_event_type type;
    struct rt_key key;
    const char *text; /* pasted, or the body of a terminal's report; lent during the call */
    size_t len;
    enum rt_mouse mouse;
    int row, col, button; /* from 0; button 1 is left */
    bool double_click;    /* set by the terminal */
};
typedef void rt_event_fn(void *ctx, const struct rt_event *ev);

/* Turns bytes into events. What may still become longer (a lone Esc) waits for the next bytes or a flush. */
struct rt_keys {
    struct rt_buf in, paste;
    bool pasting;
};
void rt_keys_init(struct rt_keys *k);
void rt_keys_deinit(struct rt_keys *k);
void rt_keys_feed(struct rt_keys *k, const char *data, size_t n, rt_event_fn *fn, void *ctx);
bool rt_keys_waiting(const struct rt_keys *k); /* a flush after 25 ms would tell more */
void rt_keys_flush(struct rt_keys *k, rt_event_fn *fn, void *ctx);

#endif
