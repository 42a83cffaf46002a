// Catch2 2 has no library with a main function; Catch2 3 does.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
