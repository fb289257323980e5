/* libcurl, loaded when something is asked over HTTP for the first time: with the 25 libraries that it brings it takes as long as
 * everything else of a start together, and a first frame needs none of it. The calls are written as everywhere and go through a
 * table. Built with RT_LATE_CURL=OFF the library is linked as usual (static builds; curl's own checks of option types). */
#ifndef RT_NET_CURL_LATE_H
#define RT_NET_CURL_LATE_H

#include "base/error.h"
#include <curl/curl.h>

/* True when curl's functions can be called. Cheap when they are there already. Main thread. RT_E_UNSUPPORTED with the reason of the
 * loader otherwise. */
bool rt_curl_load(struct rt_error *err);

#ifdef RT_CURL_NAME
#define RT_CURL_EACH(X) \
    X(easy_cleanup) X(easy_getinfo) X(easy_init) X(easy_pause) X(easy_setopt) X(easy_strerror) \
    X(global_cleanup) X(global_init) X(multi_add_handle) X(multi_assign) X(multi_cleanup) X(multi_info_read) \
    X(multi_init) X(multi_remove_handle) X(multi_setopt) X(multi_socket_action) X(slist_append) \
    X(slist_free_all) X(version) X(version_info)

#undef curl_easy_getinfo /* macros that only check types */
#undef curl_easy_setopt
#undef curl_multi_setopt

#define RT_CURL_FIELD(name) __typeof__(curl_##name) *name;
struct rt_curl {
    RT_CURL_EACH(RT_CURL_FIELD)
};
extern struct rt_curl rt_curl; /* filled by rt_curl_load */

#define curl_easy_cleanup rt_curl.easy_cleanup
#define curl_easy_getinfo rt_curl.easy_getinfo
#define curl_easy_init rt_curl.easy_init
#define curl_easy_pause rt_curl.easy_pause
#define curl_easy_setopt rt_curl.easy_setopt
#define curl_easy_strerror rt_curl.easy_strerror
#define curl_global_cleanup rt_curl.global_cleanup
#define curl_global_init rt_curl.global_init
#define curl_multi_add_handle rt_curl.multi_add_handle
#define curl_multi_assign rt_curl.multi_assign
#define curl_multi_cleanup rt_curl.multi_cleanup
#define curl_multi_info_read rt_curl.multi_info_read
#define curl_multi_init rt_curl.multi_init
#define curl_multi_remove_handle rt_curl.multi_remove_handle
#define curl_multi_setopt rt_curl.multi_setopt
#define curl_multi_socket_action rt_curl.multi_socket_action
#define curl_slist_append rt_curl.slist_append
#define curl_slist_free_all rt_curl.slist_free_all
#define curl_version rt_curl.version
#define curl_version_info rt_curl.version_info
#endif

#endif
