#include "print.hpp"

#include <cstdio>

void print(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
}
