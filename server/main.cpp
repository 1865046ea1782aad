// cppcorn MODULE:APP [options]
#include "server/master.hpp"

int main(int argc, char** argv) {
    return cppcorn::run_master(argc, argv);
}
