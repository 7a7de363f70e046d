// Joins files of each mode in one program.
int of_exceptions();
int of_results();
int of_no_exceptions();

int main() { return of_exceptions() + of_results() + of_no_exceptions(); }
