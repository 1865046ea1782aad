__attribute__((visibility("default"))) const char* deep_version(void);

const char* deep_version(void) {
    return VERSION;
}
