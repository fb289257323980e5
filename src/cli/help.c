/* Help and completions: they print the action table. */
#include "cli/internal.h"
#include <stdio.h>
#include <string.h>

static const struct rt_option global_options[] = {
    {"cluster", 'c', "NAME", "the cluster that is meant", false},
    {"address", 0, "URL", "a cluster that is not configured", false},
    {"output", 'o', "FORMAT", "table, wide, json (check: yaml)", false},
    {"json", 0, NULL, "the same as -o json", false},
    {"yes", 'y', NULL, "answer yes to questions (never to an unknown host key)", false},
    {"config", 0, "FILE", "instead of ~/.config/raytui/config.yaml", false},
    {"readonly", 0, NULL, "change nothing on any cluster", false},
    {"refresh", 0, "D", "shortest interval between two polls (2s)", false},
    {"theme", 0, "NAME", "colours of the screen", false},
    {"color", 0, "WHEN", "never, auto, always", false},
    {"ascii", 0, NULL, "plain characters only", false},
    {"verbose", 0, NULL, "requests and answers on stderr, secrets masked", false},
    {"help", 'h', NULL, "this; after a verb: about it", false},
    {"version", 0, NULL, "print the version", false},
    {0},
};

void help_all(void) {
    static const char *const first[] = {"ls", "nodes", "pools", "jobs", "submit", "logs", "stop", "scale", "up", "down",
                                        "forward", "env", "init", "check", "doctor", NULL};
    printf("raytui - the terminal for Ray clusters\n\n"
           "  raytui          the screen; raytui TARGET: on one cluster, a configured name,\n"
           "                  local, http://HOST:8265 or ssh://[USER@]HOST\n"
           "  raytui VERB     the same without a screen:\n");
    for (size_t i = 0; first[i]; i++) {
        const struct rt_action_def *d = rt_action_find(first[i]);
        printf("    %-8s %.66s\n", d->name, d->help);
    }
    printf("  -c NAME | --address URL  which cluster    -o json|wide   --yes   --readonly\n"
           "  raytui VERB --help: about a verb; `man raytui`: all of them\n");
}

/* Words from column `at` on, folded before the eightieth. */
static void fold(const char *text, int at) {
    int column = at;
    while (*text) {
        const size_t n = strcspn(text, " ");
        if (column > at && column + 1 + (int)n > 79) {
            printf("\n%*s", at, "");
            column = at;
        } else if (column > at) {
            putchar(' ');
            column++;
        }
        printf("%.*s", (int)n, text);
        column += (int)n;
        text += n + strspn(text + n, " ");
    }
    putchar('\n');
}

static void print_options(const struct rt_option *o) {
    enum { HELP_AT = 33 };
    for (; o && o->name; o++) {
        char left[48], help[160];
        snprintf(left, sizeof left, "%c%c%c --%s%s%s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ', o->letter ? ',' : ' ', o->name,
                 o->value ? " " : "", o->value ? o->value : "");
        snprintf(help, sizeof help, "%s%s", o->help, o->repeat ? " (repeatable)" : "");
        printf("  %-*s", HELP_AT - 3, left);
        printf("%s", strlen(left) > HELP_AT - 4 ? "\n" : " ");
        if (strlen(left) > HELP_AT - 4)
            printf("%*s", HELP_AT, "");
        fold(help, HELP_AT);
    }
}

void help_verb(const struct rt_action_def *d) {
    printf("usage: raytui %s%s%s\n\n%s\n", d->name, *d->args ? " " : "", d->args, d->help);
    if (d->options) {
        printf("\noptions:\n");
        print_options(d->options);
    }
    printf("\nfor every verb:\n");
    print_options(global_options);
}

/* ---- completions ---- */

static void each_option(const struct rt_action_def *d) {
    const struct rt_option *list = d ? d->options : global_options;
    for (const struct rt_option *o = list; o && o->name; o++)
        printf("%s--%s", o == list ? "" : " ", o->name);
}

static void bash(void) {
    printf("# bash completion of raytui\n"
           "_raytui() {\n"
           "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]} words\n"
           "    case $prev in\n"
           "    --config|--runtime-env|--file) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n"
           "    --working-dir|--py-module) COMPREPLY=($(compgen -d -- \"$cur\")); return ;;\n"
           "    -o|--output) COMPREPLY=($(compgen -W 'table wide json' -- \"$cur\")); return ;;\n"
           "    --color) COMPREPLY=($(compgen -W 'never auto always' -- \"$cur\")); return ;;\n"
           "    -c|--cluster) COMPREPLY=($(compgen -W \"$(raytui complete clusters 2>/dev/null)\" -- \"$cur\")); return ;;\n"
           "    esac\n"
           "    case $verb in\n");
    for (const struct rt_action_def *d = rt_actions; d->name; d++) {
        printf("    %s) words='", d->name);
        each_option(d);
        printf("' ;;\n");
    }
    printf("    esac\n"
           "    if [ \"$COMP_CWORD\" = 1 ]; then\n"
           "        words='");
    for (const struct rt_action_def *d = rt_actions; d->name; d++)
        printf("%s ", d->name);
    printf("local'\n    fi\n    case $cur in\n    -*) words=\"$words ");
    each_option(NULL);
    printf("\" ;;\n    *) words=\"$words $(raytui complete clusters 2>/dev/null)\" ;;\n    esac\n"
           "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
           "}\n"
           "complete -F _raytui raytui\n");
}

static void zsh(void) {
    printf("#compdef raytui\n"
           "_raytui() {\n"
           "    local -a verbs\n"
           "    verbs=(\n");
    for (const struct rt_action_def *d = rt_actions; d->name; d++) {
        printf("        '%s:", d->name);
        for (const char *s = d->help; *s; s++)
            printf(*s == '\'' ? "'\\'%c" : "%c", *s);
        printf("'\n");
    }
    printf("    )\n"
           "    if (( CURRENT == 2 )); then\n"
           "        _describe verb verbs\n"
           "        compadd local $(raytui complete clusters 2>/dev/null)\n"
           "        return\n"
           "    fi\n"
           "    case $words[2] in\n");
    for (const struct rt_action_def *d = rt_actions; d->name; d++) {
        if (!d->options)
            continue;
        printf("    %s) compadd -- ", d->name);
        each_option(d);
        printf(" ;;\n");
    }
    printf("    esac\n    compadd -- ");
    each_option(NULL);
    printf("\n    compadd $(raytui complete clusters 2>/dev/null)\n    _files\n}\n_raytui \"$@\"\n");
}

static void fish_text(const char *s) {
    for (; *s; s++) {
        if (*s == '\'' || *s == '\\')
            putchar('\\');
        putchar(*s);
    }
}

static void fish(void) {
    printf("# fish completion of raytui\n");
    for (const struct rt_action_def *d = rt_actions; d->name; d++) {
        printf("complete -c raytui -n __fish_use_subcommand -f -a %s -d '", d->name);
        fish_text(d->help);
        printf("'\n");
        for (const struct rt_option *o = d->options; o && o->name; o++) {
            printf("complete -c raytui -n '__fish_seen_subcommand_from %s' -l %s%s -d '", d->name, o->name, o->value ? " -r" : "");
            fish_text(o->help);
            printf("'\n");
        }
    }
    for (const struct rt_option *o = global_options; o->name; o++) {
        printf("complete -c raytui -l %s%s -d '", o->name, o->value ? " -r" : "");
        fish_text(o->help);
        printf("'\n");
    }
    printf("complete -c raytui -f -a '(raytui complete clusters 2>/dev/null)'\n");
}

static void man(void) {
    man_verbs();
    printf(".Ss Options of every verb\n");
    man_options(global_options);
}

bool generate(const char *what) {
    if (rt_streq(what, "bash"))
        bash();
    else if (rt_streq(what, "zsh"))
        zsh();
    else if (rt_streq(what, "fish"))
        fish();
    else if (rt_streq(what, "man"))
        man();
    else if (rt_streq(what, "config"))
        man_config();
    else
        return false;
    return true;
}
