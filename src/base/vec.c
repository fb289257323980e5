/* Growth of the typed arrays of vec.h. */
#include "base/vec.h"
#include <stdint.h>

void rt_vec_reserve_(void **v, size_t need, size_t *cap, size_t size) {
    if (need <= *cap)
        return;
    size_t more = *cap ? *cap + *cap / 2 + 1 : 8;
    if (more < need)
        more = need;
    *v = rt_realloc(*v, more > SIZE_MAX / size ? SIZE_MAX : more * size);
    *cap = more;
}
