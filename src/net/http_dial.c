/* Requests over streams that a dialer has connected already.
 *
 * curl asks for a socket, is given the dialer's descriptor and is told that it is connected.
 * curl 7.88 does not listen to the latter and connects all the same, which fails on a connected
 * socket. It gets a stand-in: a datagram socket, whose connect succeeds without a packet. Before
 * the first byte is sent the dialled stream is put in its place, under the same number. */
#include "base/mem.h"
#include "net/http_impl.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool needs_stand_in(void) {
    unsigned version = curl_version_info(CURLVERSION_NOW)->version_num;
    return version >= 0x075800 && version < 0x080000;
}

static int make_stand_in(struct rt_http_call *r, struct curl_sockaddr *address) {
    const struct sockaddr_in here = {
        .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0) {
        rt_http_fail(r, RT_E_LIMIT, "no socket is left");
        return CURL_SOCKET_BAD;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    address->family = AF_INET;
    address->addrlen = sizeof here;
    memcpy(&address->addr, &here, sizeof here);
    r->stand_in = fd;
    return fd;
}

/* Whatever address curl thinks of: the stream is connected behind its descriptor. */
static curl_socket_t dial(void *request, curlsocktype purpose, struct curl_sockaddr *address) {
    (void)purpose;
    struct rt_http_call *r = request;
    struct rt_error err = {0};
    int fd = r->dialer->dial(r->dialer->ctx, r->at.host, r->at.port, &err);
    if (fd < 0) {
        rt_http_fail(r, err.code ? err.code : RT_E_UNREACHABLE, "%s",
                     *err.message ? err.message : "no connection");
        rt_error_hint(&r->error, "%s", err.hint);
        return CURL_SOCKET_BAD;
    }
    if (!needs_stand_in())
        return fd;
    rt_http_close_dialled(r);
    r->dialled = fd;
    return make_stand_in(r, address);
}

static int is_connected(void *request, curl_socket_t fd, curlsocktype purpose) {
    (void)request;
    (void)fd;
    (void)purpose;
    return CURL_SOCKOPT_ALREADY_CONNECTED;
}

static void take_place(struct rt_http_call *r) {
    if (r->dialled < 0)
        return;
    dup2(r->dialled, r->stand_in);
    fcntl(r->stand_in, F_SETFD, FD_CLOEXEC);
    fcntl(r->stand_in, F_SETFL, O_NONBLOCK); /* curl made the stand-in so */
    rt_http_close_dialled(r);
}

#if LIBCURL_VERSION_NUM >= 0x075000
static int before_request(void *request, char *ip, char *local_ip, int port, int local_port) {
    (void)ip;
    (void)local_ip;
    (void)port;
    (void)local_port;
    take_place(request);
    return CURL_PREREQFUNC_OK;
}
#endif

static CURLcode before_tls(CURL *easy, void *tls, void *request) {
    (void)easy;
    (void)tls;
    take_place(request);
    return CURLE_OK;
}

void rt_http_close_dialled(struct rt_http_call *r) {
    if (r->dialled >= 0)
        close(r->dialled);
    r->dialled = -1;
}

void rt_http_set_dialer(struct rt_http_call *r) {
    CURL *e = r->easy;
    /* All hosts are here, so that no name is looked up. */
    r->connect_to = curl_slist_append(r->connect_to, "::127.0.0.1:");
    curl_easy_setopt(e, CURLOPT_CONNECT_TO, r->connect_to);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, dial);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, r);
    if (!needs_stand_in()) {
        curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, is_connected);
        return;
    }
#if LIBCURL_VERSION_NUM >= 0x075000
    curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, before_request);
    curl_easy_setopt(e, CURLOPT_PREREQDATA, r);
#endif
    curl_easy_setopt(e, CURLOPT_SSL_CTX_FUNCTION, before_tls);
    curl_easy_setopt(e, CURLOPT_SSL_CTX_DATA, r);
}
