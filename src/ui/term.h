/* The terminal: taken, drawn on, listened to, and given back as it was found - also after SIGTERM, SIGHUP,
 * a crash and ^Z. The only place that knows of terminfo. One per process. Loop thread only. */
#ifndef RT_UI_TERM_H
#define RT_UI_TERM_H

#include "base/error.h"
#include "net/loop.h"
#include "ui/key.h"
#include "ui/surface.h"

struct rt_term;

enum rt_depth { RT_DEPTH_MONO, RT_DEPTH_16, RT_DEPTH_256, RT_DEPTH_RGB };

struct rt_term_events {
    rt_event_fn *event;
    rt_loop_fn *resized;           /* size() is new; draw at once */
    rt_loop_fn *gone;              /* hangup or a signal to end: leave */
    rt_loop_fn *resumed;           /* after ^Z or another program had the screen: everything must be drawn */
    void *ctx;
};

/* Checks that stdin and stdout are a terminal that can do it; touches nothing yet. */
bool rt_term_usable(struct rt_error *err);
/* `color` "never", "auto", "always"; NULL is auto. */
struct rt_term *rt_term_open(struct rt_loop *l, const char *color, const struct rt_term_events *ev, struct rt_error *err);
void rt_term_close(struct rt_term *t); /* gives the terminal back; NULL is fine */

void rt_term_size(const struct rt_term *t, int *rows, int *cols);
enum rt_depth rt_term_depth(const struct rt_term *t);
bool rt_term_utf8(void); /* does the locale say so? */

/* Writes what differs from what stands there, in one write and in synchronized output where it is known. Gives
 * false while the terminal still swallows the frame before: it calls for another with `resumed`. */
bool rt_term_show(struct rt_term *t, const struct rt_surface *s);
void rt_term_redraw(struct rt_term *t); /* forgets what stands there: the next show writes all (^L) */
void rt_term_title(struct rt_term *t, const char *clean_text);
/* Asks the terminal to take a text into its clipboard (OSC 52), at most 64 KiB. False with the reason. */
bool rt_term_copy(struct rt_term *t, const char *text, size_t n, struct rt_error *err);
/* A message of the desktop (OSC 9, OSC 777 where that is known), and the bell. */
void rt_term_notify(struct rt_term *t, const char *clean_text, bool rings, bool desktop);
void rt_term_mouse(struct rt_term *t, bool on);
void rt_term_suspend(struct rt_term *t); /* ^Z; returns after fg */
/* Gives the terminal to another program and takes it back; its exit status, -1 if it could not be started.
 * The loop stands still meanwhile, as for a shell or an editor. */
int rt_term_run(struct rt_term *t, char *const argv[], struct rt_error *err);
int rt_term_ended_by(const struct rt_term *t); /* the signal that asked for the end; 0: none did */

#endif
