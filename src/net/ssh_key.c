/* Looks into key files: which type, encrypted or not, and the public half where it can be seen. */
#include "net/ssh.h"

#include "base/fs.h"
#include "base/mem.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_KEY_FILE = 64 * 1024 };

unsigned char *rt_ssh_base64(const char *text, size_t n, size_t *len) {
    if (n == 0 || n > MAX_KEY_FILE)
        return NULL;
    EVP_ENCODE_CTX *c = EVP_ENCODE_CTX_new();
    unsigned char *out = rt_alloc(n + 4);
    int a = 0, b = 0;
    EVP_DecodeInit(c);
    bool ok = EVP_DecodeUpdate(c, out, &a, (const unsigned char *)text, (int)n) >= 0 &&
              EVP_DecodeFinal(c, out + a, &b) >= 0;
    EVP_ENCODE_CTX_free(c);
    if (!ok || a + b <= 0) {
        free(out);
        return NULL;
    }
    *len = (size_t)(a + b);
    return out;
}

void rt_ssh_fingerprint(const unsigned char *blob, size_t n, char *out, size_t size) {
    unsigned char hash[EVP_MAX_MD_SIZE], text[EVP_MAX_MD_SIZE * 2];
    unsigned int len = 0;
    EVP_Digest(blob, n, hash, &len, EVP_sha256(), NULL);
    EVP_EncodeBlock(text, hash, (int)len);
    text[strcspn((const char *)text, "=")] = '\0';
    snprintf(out, size, "SHA256:%s", (const char *)text);
}

/* A length and that many bytes, as SSH writes strings. */
static bool take_string(const unsigned char **p, size_t *left, const unsigned char **s, size_t *n) {
    if (*left < 4)
        return false;
    size_t len = (size_t)(*p)[0] << 24 | (size_t)(*p)[1] << 16 | (size_t)(*p)[2] << 8 | (*p)[3];
    if (len > *left - 4)
        return false;
    *s = *p + 4;
    *n = len;
    *p += 4 + len;
    *left -= 4 + len;
    return true;
}

void rt_ssh_blob_type(const unsigned char *blob, size_t n, char *out, size_t size) {
    const unsigned char *s;
    size_t len;
    *out = '\0';
    if (take_string(&blob, &n, &s, &len) && len < size) {
        memcpy(out, s, len);
        out[len] = '\0';
    }
}

static void set_blob(struct rt_ssh_key *k, const unsigned char *blob, size_t n) {
    free(k->blob);
    k->blob = rt_alloc(n);
    memcpy(k->blob, blob, n);
    k->blob_len = n;
    rt_ssh_blob_type(blob, n, k->type, sizeof k->type);
}

/* "openssh-key-v1\0" cipher kdf kdfoptions count public... : the public key is never encrypted. */
static void read_openssh(struct rt_ssh_key *k, const unsigned char *p, size_t n) {
    static const char magic[] = "openssh-key-v1";
    const unsigned char *cipher, *s;
    size_t cipher_len, len;
    if (n < sizeof magic || memcmp(p, magic, sizeof magic) != 0)
        return;
    p += sizeof magic;
    n -= sizeof magic;
    if (!take_string(&p, &n, &cipher, &cipher_len) || !take_string(&p, &n, &s, &len) ||
        !take_string(&p, &n, &s, &len) || n < 4)
        return;
    k->readable = true;
    k->encrypted = cipher_len != 4 || memcmp(cipher, "none", 4) != 0;
    p += 4;
    n -= 4;
    if (take_string(&p, &n, &s, &len))
        set_blob(k, s, len);
}

static void read_pem(struct rt_ssh_key *k, const char *text) {
    static const char openssh[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
    if (rt_starts(text, openssh)) {
        const char *body = text + strlen(openssh), *end = strstr(body, "-----END");
        size_t len = 0;
        unsigned char *raw = end ? rt_ssh_base64(body, (size_t)(end - body), &len) : NULL;
        if (raw)
            read_openssh(k, raw, len);
        free(raw);
        return;
    }
    k->readable = true;
    k->encrypted = strstr(text, "ENCRYPTED") != NULL;
    const char *type = strstr(text, "BEGIN RSA")   ? "ssh-rsa"
                       : strstr(text, "BEGIN EC ") ? "ecdsa-sha2-nistp256"
                                                   : "";
    snprintf(k->type, sizeof k->type, "%s", type);
}

/* "ssh-ed25519 AAAA... comment" */
static void read_public(struct rt_ssh_key *k, const char *text) {
    const char *b64 = strchr(text, ' ');
    size_t len = 0;
    if (!b64)
        return;
    unsigned char *raw = rt_ssh_base64(b64 + 1, strcspn(b64 + 1, " \r\n"), &len);
    if (raw)
        set_blob(k, raw, len);
    free(raw);
}

static bool read_file(const char *path, struct rt_buf *text) {
    struct rt_error ignored;
    rt_buf_init(text, MAX_KEY_FILE);
    return rt_file_read(path, MAX_KEY_FILE, text, &ignored) && text->len > 0;
}

static void wipe(struct rt_buf *text) {
    if (text->data)
        memset(text->data, 0, text->len);
    rt_buf_deinit(text);
}

void rt_ssh_key_inspect(const char *path, struct rt_ssh_key *out) {
    struct rt_buf text;
    *out = (struct rt_ssh_key){0};
    if (read_file(path, &text)) {
        if (rt_starts(text.data, "-----BEGIN"))
            read_pem(out, text.data);
        else
            read_public(out, text.data);
    }
    wipe(&text);
    out->public_only = !out->readable && out->blob;
    if (out->blob)
        return;
    char *pub = rt_strf("%s.pub", path);
    if (read_file(pub, &text)) {
        read_public(out, text.data);
        out->public_only = !out->readable && out->blob;
    }
    wipe(&text);
    free(pub);
}

void rt_ssh_key_deinit(struct rt_ssh_key *k) {
    free(k->blob);
    *k = (struct rt_ssh_key){0};
}
