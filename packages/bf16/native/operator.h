// The operator `MatMulBf16` of the domain `rag_ft`: alpha op(a) op(b) over the last two dimensions, leading ones broadcast, as FusedMatMul of `com.microsoft`.
#pragma once
#include "kernel.h"
#include "ort.h"

/** Adds it to a session's options. What is returned must live as long as the session; `threads`: the session's. */
struct Operators;
Operators* addOperators(ort::Options* options, const Kernel* kernel, int threads, ort::Status** status);
void releaseOperators(Operators* operators);
