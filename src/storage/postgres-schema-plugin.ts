import { ColumnDefinitionNode, DataTypeNode, GeneratedNode, type KyselyPlugin, OperationNodeTransformer, type PluginTransformQueryArgs, RawNode } from 'kysely'

/** Column types as migrations write them, and as they stand in PostgreSQL: those that the tables of collections have. */
const columnTypes: Readonly<Record<string, string>> = { text: 'TEXT COLLATE "C"', integer: 'BIGINT', boolean: 'SMALLINT', real: 'DOUBLE PRECISION' }

/** Lets one text of a migration make the same columns in both databases. */
export class PostgresSchemaPlugin implements KyselyPlugin {
  readonly #transformer = new ColumnTransformer()

  transformQuery({ node, queryId }: PluginTransformQueryArgs) {
    return this.#transformer.transformNode(node, queryId)
  }

  async transformResult<Result>({ result }: { readonly result: Result }): Promise<Result> {
    return result
  }
}

class ColumnTransformer extends OperationNodeTransformer {
  protected override transformColumnDefinition(node: ColumnDefinitionNode): ColumnDefinitionNode {
    const column = super.transformColumnDefinition(node)
    const type = DataTypeNode.is(node.dataType) ? columnTypes[node.dataType.dataType] : undefined
    const dataType = type === undefined ? column.dataType : RawNode.createWithSql(type)
    if (column.autoIncrement !== true) return { ...column, dataType }
    return { ...column, dataType, autoIncrement: false, generated: GeneratedNode.create({ identity: true, byDefault: true }) }
  }
}
