"""How the floor's functions (floor.sql) are called: with binary arguments of these types."""


def call(function: str, types: str) -> str:
    return f"select bench.{function}({', '.join(f'%b::{type_}' for type_ in types.split())})"


TAKE = call(
    "take",
    "uuid[] text[] bytea[] uuid[] bigint[] bigint[] timestamptz[] numeric[] bigint[] text[] uuid[] timestamptz[] "
    "int[] text[] text[] text[] text[] numeric[] numeric[] bigint[] bigint uuid timestamptz",
)
POST = call(
    "post",
    "uuid[] text[] bigint[] bigint[] timestamptz[] timestamptz[] timestamptz[] bigint[] text[] bigint uuid timestamptz",
)
BURN = call("burn", "uuid[] text[] bigint[] bigint[] bigint[] timestamptz")
A_EARN = call("a_earn", "uuid bigint bigint int timestamptz")
