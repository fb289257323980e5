/* The generated parts of raytui(1) and raytui(5), in mdoc: verbs from the action table, fields from the
 * configuration's field tables. */
#include "cli/internal.h"
#include <ctype.h>
#include <stdio.h>

static void roff(const char *s) {
    if (*s == '.' || *s == '\'')
        fputs("\\&", stdout);
    for (; *s; s++) {
        if (*s == '\\')
            fputs("\\e", stdout);
        else if (*s == '-')
            fputs("\\-", stdout);
        else
            putchar(*s);
    }
}

static void sentence(const char *s) {
    putchar(toupper((unsigned char)*s));
    roff(s + 1);
    puts(".");
}

void man_options(const struct rt_option *o) {
    if (!o || !o->name)
        return;
    printf(".Bl -tag -width 4n -compact\n");
    for (; o->name; o++) {
        printf(".It ");
        if (o->letter)
            printf("Fl %c , ", o->letter);
        printf("Fl \\-%s", o->name);
        if (o->value)
            printf(" Ar %s", o->value);
        printf("\n");
        roff(o->help);
        printf("%s.\n", o->repeat ? " (may be repeated)" : "");
    }
    printf(".El\n");
}

void man_verbs(void) {
    printf(".Bl -tag -width 4n\n");
    for (const struct rt_action_def *d = rt_actions; d->name; d++) {
        printf(".It Cm %s ", d->name);
        roff(d->args);
        printf("\n");
        sentence(d->help);
        man_options(d->options);
    }
    printf(".El\n");
}

static void fields(const struct rt_yfield *f) {
    printf(".Bl -tag -width 4n -compact\n");
    for (; f && f->key; f++) {
        printf(".It Cm %s", f->key);
        if (f->example) {
            printf(" : ");
            roff(f->example);
        }
        printf("\n");
        if (f->help)
            sentence(f->help);
        for (size_t i = 0; i < RT_COUNT(f->alias) && f->alias[i]; i++)
            printf("Also written\n.Cm %s .\n", f->alias[i]);
        if (f->type == RT_Y_STRUCT)
            fields(f->sub);
    }
    printf(".El\n");
}

void man_config(void) {
    printf(".Sh FIELDS OF RAYTUI ITSELF\n");
    fields(rt_config_fields);
    printf(".Sh FIELDS OF EVERY CLUSTER\nThey stand below\n.Cm clusters : NAME :\n.Pp\n");
    fields(rt_cluster_fields);
    for (size_t i = 0; rt_providers[i]; i++) {
        printf(".Sh FIELDS OF PROVIDER ");
        for (const char *p = rt_providers[i]->name; *p; p++)
            putchar(toupper((unsigned char)*p));
        printf("\n");
        sentence(rt_providers[i]->summary);
        fields(rt_providers[i]->config);
        if (rt_providers[i]->asks) {
            printf(".Pp\nOnly\n.Cm init\nasks:\n");
            fields(rt_providers[i]->asks);
        }
    }
}
