// For the test of check.sh: a missing include makes both variants fail.
bool same(dca::QueryIndex i, dca::KeyIndex j) {
#ifdef WRONG
    return i == j;
#else
    return i.value() == j.value();
#endif
}
