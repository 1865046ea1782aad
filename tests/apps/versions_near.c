/* The neighbour that the app `versions` needs, which needs another one. */
const char* deep_version(void);
__attribute__((visibility("default"))) const char* near_versions(void);

const char* near_versions(void) {
    static char text[] = VERSION " ?";
    text[sizeof text - 2] = deep_version()[0];
    return text;
}
