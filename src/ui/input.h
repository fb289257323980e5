/* One line of text that is being typed: prompt, filter, fields of forms, answers. */
#ifndef RT_UI_INPUT_H
#define RT_UI_INPUT_H

#include "ui/key.h"
#include "ui/surface.h"

struct rt_input {
    struct rt_buf text;
    size_t at;     /* byte offset of the cursor */
    int scroll;    /* first shown column */
    bool secret;   /* shown as dots */
};
void rt_input_init(struct rt_input *in);
void rt_input_deinit(struct rt_input *in); /* wipes a secret */
void rt_input_set(struct rt_input *in, const char *text); /* cursor at the end */
const char *rt_input_text(const struct rt_input *in);
/* Takes a key of editing (letters, arrows, ^A ^E ^U ^K ^W, Backspace …); false for any other. */
bool rt_input_key(struct rt_input *in, struct rt_key k);
/* Newlines become blanks: pasted text never submits. */
void rt_input_paste(struct rt_input *in, const char *text, size_t n);
/* Draws in one line of r and puts the cursor there. */
void rt_input_draw(struct rt_input *in, struct rt_surface *s, struct rt_rect r, struct rt_look look, bool ascii, bool focus);

#endif
