/* For tests: a kept list fed by hand, with other paces. */
#ifndef RT_NET_KUBE_WATCH_H
#define RT_NET_KUBE_WATCH_H

#include "net/kube.h"

/* Lines of a watch as they come; false: the stream is to end. */
bool rt_kube_watch_feed(struct rt_kube_watch *w, const char *data, size_t n);
/* How long silence may last, and the shortest wait before another try. */
void rt_kube_watch_paces(struct rt_kube_watch *w, int64_t silence_ms, int64_t again_ms);

#endif
