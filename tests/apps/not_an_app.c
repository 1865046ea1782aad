/* A shared library like any other. */
__attribute__((visibility("default"))) int not_an_app(void);

int not_an_app(void) {
    return 42;
}
