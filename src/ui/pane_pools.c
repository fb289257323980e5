/* Pools: + and - count presses; what their machines wrote while they started. */
#include "ui/list.h"
#include "ui/shell.h"
#include "ui/views.h"

#include "base/str.h"

enum rt_taken rt_pools_command(struct rt_view *v, const struct rt_strs *words, struct rt_error *err) {
    const struct rt_list_row *r;
    int64_t by = 0;
    const bool log = rt_streq(words->v[0], "machine-log");
    if (!log && !rt_streq(words->v[0], "scale-step"))
        return RT_TAKEN_NO;
    r = rt_list_selected(v);
    if (!r) {
        rt_error_set(err, RT_E_USAGE, "no pool is selected");
        return RT_TAKEN_FAILED;
    }
    if (log)
        return rt_show_machine_log(v->ui, r->cluster->name, rt_list_selected_id(v), err) ? RT_TAKEN_YES : RT_TAKEN_FAILED;
    const char *number = words->n > 1 ? words->v[1] : "+1";
    if (!rt_parse_i64(*number == '+' ? number + 1 : number, &by) || !by) {
        rt_error_set(err, RT_E_USAGE, "usage: scale-step +N|-N");
        return RT_TAKEN_FAILED;
    }
    return scaling_step(v->ui, r->cluster->name, r->row, by, err) ? RT_TAKEN_YES : RT_TAKEN_FAILED;
}
