// What the operations of the SQL page answer; as collector/query_operations.py and collector/query_route.py.
export interface Column { name: string; type: string; text: string; key: boolean }
export interface Table { name: string; text: string; columns: Column[] }
export interface SavedQuery { id: string; name: string; sql: string; show: string; version: number; changed: number; actor: string }
export type Value = string | number | boolean | null | Value[] | { [key: string]: Value };
export interface Result { columns: string[]; rows: Value[][] }
