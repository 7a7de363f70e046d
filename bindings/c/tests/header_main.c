/* One program of parts that all include the header. */
int of_c11(void);
int of_c99(void);
int of_cxx17(void);
int of_cxx20(void);

int main(void) { return of_c11() + of_c99() + of_cxx17() + of_cxx20(); }
