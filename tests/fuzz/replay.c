/* Hands each file of the directories named on the command line to a fuzz target. */
#include "fuzz.h"

#include "base/fs.h"
#include <dirent.h>

static int one(const char *path) {
    struct rt_buf b;
    struct rt_error err = {0};
    rt_buf_init(&b, 0);
    if (!rt_file_read(path, 0, &b, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return 0;
    }
    /* memory of exactly this size, so that a sanitizer sees a read past its end */
    uint8_t *copy = malloc(b.len ? b.len : 1);
    PROMISE(copy);
    for (size_t i = 0; i < b.len; i++)
        copy[i] = (uint8_t)rt_buf_str(&b)[i];
    LLVMFuzzerTestOneInput(copy, b.len);
    free(copy);
    rt_buf_deinit(&b);
    return 1;
}

int main(int argc, char **argv) {
    int files = 0;
    for (int i = 1; i < argc; i++) {
        DIR *d = opendir(argv[i]);
        for (struct dirent *e; d && (e = readdir(d));) {
            if (e->d_name[0] == '.')
                continue;
            char *path = rt_path_join(argv[i], e->d_name);
            files += one(path);
            free(path);
        }
        if (d)
            closedir(d);
    }
    printf("%d inputs\n", files);
    return files > 0 ? 0 : 1;
}
